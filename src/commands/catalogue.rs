//! `lbaudit explain RULE`, `lbaudit rules` and `lbaudit schema NAME`.

use super::{Outcome, Run, config, written};
use crate::error::Error;
use crate::{report, rules};

/// Writes the page of the rule `name`.
pub(super) fn explain(name: &str, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let unknown = || format!("there is no rule `{name}`: {}", rules::did_you_mean(name));
    let entry = rules::find(name).ok_or_else(|| Error::Usage(unknown()))?;
    written(report::explain::write(&entry.page, run.style, run.out))?;
    Ok(Outcome::default())
}

/// Lists the rules.
pub(super) fn list(run: &mut Run<'_>) -> Result<Outcome, Error> {
    let format = run.format()?;
    written(report::catalogue::write(
        rules::catalogue(),
        format,
        run.style,
        run.out,
    ))?;
    Ok(Outcome::default())
}

/// Writes the schema `name`, which the command line knows.
pub(super) fn schema(name: &str, run: &mut Run<'_>) -> Result<Outcome, Error> {
    if name == "config" {
        return config::schema(run);
    }
    let mut schemas = report::SCHEMAS.iter();
    let unknown = || Error::Usage(format!("there is no schema `{name}`"));
    let schema = schemas.find(|it| it.name == name).ok_or_else(unknown)?;
    written(run.out.write_all(schema.text.as_bytes()))?;
    Ok(Outcome::default())
}
