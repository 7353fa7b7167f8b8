//! Environment variables for configurations, from flags, files and this process.

use std::path::Path;

use crate::cli::InputArgs;
use crate::engine::Environment;
use crate::error::Error;

/// The variables that `--use-env`, `--env-file` and `--env` give; later ones win.
pub(super) fn environment(args: &InputArgs) -> Result<Environment, Error> {
    let given = args.use_env || !args.env.is_empty() || !args.env_file.is_empty();
    let mut environment = Environment {
        given,
        ..Environment::default()
    };
    if args.use_env {
        let utf8 = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        environment.values.extend(utf8);
    }
    for path in &args.env_file {
        environment.values.extend(read_file(path)?);
    }
    environment.values.extend(args.env.iter().cloned());
    Ok(environment)
}

/// Reads `NAME=VALUE` lines as service managers do: blank lines and `#` lines are skipped, an
/// `export` in front is allowed, one pair of quotes around the value is dropped.
fn read_file(path: &Path) -> Result<Vec<(String, String)>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut values = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            let place = format!("{}:{}", path.display(), number + 1);
            return Err(Error::Usage(format!("{place}: expected NAME=VALUE")));
        };
        values.push((name.trim().to_owned(), unquote(value.trim()).to_owned()));
    }
    Ok(values)
}

fn unquote(value: &str) -> &str {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_file_is_read_as_service_managers_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        std::fs::write(&path, "# weights\nexport A=1\n\nB=\"x y\"\nC='\n").unwrap();
        let expected = [("A", "1"), ("B", "x y"), ("C", "'")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read_file(&path).unwrap(), expected);
        std::fs::write(&path, "A=1\nB\n").unwrap();
        assert!(
            read_file(&path)
                .unwrap_err()
                .to_string()
                .ends_with(":2: expected NAME=VALUE")
        );
    }
}
