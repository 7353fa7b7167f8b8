//! From the file as it is written to settings that hold together.

use std::ops::Range;
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use toml::Spanned;

use super::raw::{Raw, RawInstance, RawOverride, RawRules};
use super::{InstanceFiles, Override, RuleSetting, RuleSettings, Settings};
use crate::error::Error;
use crate::finding::Severity;
use crate::model::Version;
use crate::rules;
use crate::source::{Position, absolute};
use crate::spelling;

/// A mistake in a settings file.
#[derive(Debug)]
pub(super) struct Fault {
    message: String,
    span: Option<Range<usize>>,
}

impl Fault {
    fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span: Some(span),
        }
    }

    /// The error with the place of the mistake.
    pub(super) fn in_file(self, path: &Path, text: &str) -> Error {
        let Position { line, column } =
            Position::in_text(text, self.span.map_or(0, |span| span.start));
        Error::Usage(format!(
            "{}:{line}:{column}: {}",
            path.display(),
            self.message
        ))
    }
}

/// Checks the text of a settings file in `folder`.
pub(super) fn check(text: &str, folder: &Path) -> Result<Settings, Fault> {
    let raw: Raw = toml::from_str(text).map_err(|error| Fault {
        message: with_known_keys(error.message()),
        span: error.span(),
    })?;
    let folder = absolute(folder);
    Ok(Settings {
        fail_on: raw.fail_on,
        exclude: globs(&raw.exclude).map(|_| texts(&raw.exclude))?,
        haproxy_version: version(raw.haproxy.version)?,
        nginx_version: version(raw.nginx.version)?,
        nginx_plus: raw.nginx.plus,
        rules: rule_settings(raw.rules)?,
        overrides: raw
            .overrides
            .into_iter()
            .map(override_)
            .collect::<Result<_, _>>()?,
        instances: raw.instances.into_iter().map(instance).collect(),
        folder,
    })
}

fn version(text: Option<Spanned<String>>) -> Result<Option<Version>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let parsed = text.get_ref().parse();
    parsed
        .map(Some)
        .map_err(|fault: String| Fault::new(fault, text.span()))
}

fn override_(raw: RawOverride) -> Result<Override, Fault> {
    Ok(Override {
        files: globs(&raw.files)?,
        rules: rule_settings(raw.rules)?,
    })
}

fn instance(raw: RawInstance) -> InstanceFiles {
    InstanceFiles {
        name: raw.name,
        engine: raw.engine,
        files: texts(&raw.files),
    }
}

fn texts(patterns: &[Spanned<String>]) -> Vec<String> {
    patterns
        .iter()
        .map(|pattern| pattern.get_ref().clone())
        .collect()
}

fn globs(patterns: &[Spanned<String>]) -> Result<GlobSet, Fault> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let fault = |fault: globset::Error| Fault::new(fault.to_string(), pattern.span());
        set.add(Glob::new(pattern.get_ref()).map_err(fault)?);
    }
    set.build().map_err(|fault| Fault {
        message: fault.to_string(),
        span: None,
    })
}

fn rule_settings(raw: RawRules) -> Result<RuleSettings, Fault> {
    let mut settings = RuleSettings::default();
    for (name, keys) in raw {
        let Some(entry) = rules::find(name.get_ref()) else {
            let hint = rules::did_you_mean(name.get_ref());
            let message = format!("there is no rule `{}`: {hint}", name.get_ref());
            return Err(Fault::new(message, name.span()));
        };
        let mut setting = RuleSetting::default();
        for (key, value) in keys {
            set(&mut setting, entry.rule.options, &key, &value)?;
        }
        settings.0.insert(name.into_inner(), setting);
    }
    Ok(settings)
}

/// Takes one key of `[rules.NAME]`.
fn set(
    setting: &mut RuleSetting,
    options: &[rules::RuleOption],
    key: &Spanned<String>,
    value: &Spanned<toml::Value>,
) -> Result<(), Fault> {
    let wrong = |expected: &str| {
        let message = format!("`{}` takes {expected}", key.get_ref());
        Fault::new(message, value.span())
    };
    match key.get_ref().as_str() {
        "enabled" => {
            let enabled = value
                .get_ref()
                .as_bool()
                .ok_or_else(|| wrong("true or false"))?;
            setting.enabled = Some(enabled);
        }
        "severity" => {
            let severity: Result<Severity, _> = value.get_ref().clone().try_into();
            setting.severity = Some(severity.map_err(|_| wrong("error, warning or info"))?);
        }
        name if options.iter().any(|option| option.name == name) => {
            let number = number(value.get_ref()).ok_or_else(|| wrong("a number from 0"))?;
            setting.options.insert(name.to_owned(), number);
        }
        name => {
            let known = ["enabled", "severity"].into_iter();
            let known: Vec<&str> = known.chain(options.iter().map(|it| it.name)).collect();
            return Err(Fault::new(unknown_key(name, &known), key.span()));
        }
    }
    Ok(())
}

fn number(value: &toml::Value) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "thresholds are small numbers")]
    let integer = value.as_integer().map(|integer| integer as f64);
    value
        .as_float()
        .or(integer)
        .filter(|number| number.is_finite() && *number >= 0.0)
}

/// What to say about a key that is not among the `known`.
fn unknown_key(name: &str, known: &[&str]) -> String {
    let hint = match spelling::nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`"),
        None => format!("known here: `{}`", known.join("`, `")),
    };
    format!("unknown key `{name}`: {hint}")
}

/// Turns the TOML reader's message about an unknown key into ours.
fn with_known_keys(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match (message.starts_with("unknown field"), quoted.split_first()) {
        (true, Some((name, known))) => unknown_key(name, known),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let fault = check(text, Path::new("")).expect_err("the settings are wrong");
        fault.in_file(Path::new("lbaudit.toml"), text).to_string()
    }

    #[test]
    fn everything_of_the_documentation_is_read() {
        let text = "fail-on = 'error'\nexclude = ['vendor/**']\n[haproxy]\nversion = '2.8'\n\
            [rules.unbalanced-weights]\nseverity = 'info'\nmax-ratio = 4\n\
            [rules.syntax-error]\nenabled = false\n\
            [[override]]\nfiles = ['staging/**']\nrules.syntax-error.severity = 'info'\n\
            [[instance]]\nname = 'edge'\nengine = 'haproxy'\nfiles = ['haproxy/conf.d/*.cfg']\n";
        let settings = check(text, Path::new("/etc")).unwrap();
        assert_eq!(settings.fail_on, Some(Severity::Error));
        assert_eq!(settings.haproxy_version, Some(Version::new(2, 8, 0)));
        assert_eq!(
            settings.rules.option("unbalanced-weights", "max-ratio"),
            Some(4.0)
        );
        assert_eq!(settings.overrides.len(), 1);
        assert_eq!(
            settings.instances[0].files,
            ["haproxy/conf.d/*.cfg".to_owned()]
        );
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place_and_the_nearest_key() {
        assert_eq!(
            fault("\nfail-onn = 'error'\n"),
            "lbaudit.toml:2:1: unknown key `fail-onn`: did you mean `fail-on`"
        );
        assert_eq!(
            fault("[rules.unbalanced-weights]\nmax-ration = 4\n"),
            "lbaudit.toml:2:1: unknown key `max-ration`: did you mean `max-ratio`"
        );
        assert!(fault("[rules.unbalanced-weight]\n").starts_with(
            "lbaudit.toml:1:8: there is no rule `unbalanced-weight`: did you mean `unbalanced-weights`"
        ));
    }

    #[test]
    fn values_of_the_wrong_kind_are_errors() {
        assert_eq!(
            fault("[rules.unbalanced-weights]\nmax-ratio = 'much'\n"),
            "lbaudit.toml:2:13: `max-ratio` takes a number from 0"
        );
        assert_eq!(
            fault("[rules.unbalanced-weights]\nseverity = 'fatal'\n"),
            "lbaudit.toml:2:12: `severity` takes error, warning or info"
        );
        assert!(
            fault("[haproxy]\nversion = 'new'\n").starts_with("lbaudit.toml:2:11: `new` is not")
        );
    }
}
