//! Paths as repositories know them.
//!
//! In: the name of a file as the user knows it. Out: its path relative to the project's folder with
//! `/` and without `.` or `..`, where it lies below that folder; and as a URI reference (RFC 3986).
//!
//! The project's folder is the checkout of the CI job that this process runs in, where the working
//! folder is a part of it: annotations name files from there. Else it is the working folder.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::source::normal;

/// Everything but the unreserved characters of RFC 3986 and the slash between folders. A colon would
/// make a scheme of what stands before it, so it is encoded too.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Turns names into relative paths.
pub(crate) struct Paths {
    /// What names are relative to.
    working: PathBuf,
    /// What paths are relative to.
    project: PathBuf,
}

/// Where GitHub Actions and GitLab CI say that the checkout is.
const CHECKOUTS: [&str; 2] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];

impl Paths {
    /// Paths as the environment of this process tells.
    pub(crate) fn here() -> Self {
        let checkouts = CHECKOUTS.iter().filter_map(std::env::var_os);
        let working = std::env::current_dir().unwrap_or_default();
        Self::new(working, checkouts.map(PathBuf::from))
    }

    fn new(working: PathBuf, checkouts: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut checkouts = checkouts.into_iter();
        let around = |folder: &PathBuf| folder.is_absolute() && working.starts_with(folder);
        let project = checkouts.find(around).unwrap_or_else(|| working.clone());
        Self { working, project }
    }

    /// The path of the file `name` relative to the project; as it is where it lies elsewhere.
    pub(crate) fn relative(&self, name: &str) -> String {
        self.inside(name).unwrap_or_else(|| name.to_owned())
    }

    /// A relative URI reference for a file of the project, else an absolute `file:` URI.
    pub(crate) fn uri(&self, name: &str) -> Uri {
        match self.inside(name) {
            Some(path) => Uri {
                text: encoded(&path),
                is_relative: true,
            },
            None => Uri {
                text: format!("file://{}", encoded(&self.absolute(name).to_string_lossy())),
                is_relative: false,
            },
        }
    }

    fn inside(&self, name: &str) -> Option<String> {
        let path = self.absolute(name);
        let path = path.strip_prefix(&self.project).ok()?.to_str()?;
        (!path.is_empty()).then(|| path.to_owned())
    }

    /// `name` in the working folder, without `.` and `..`.
    fn absolute(&self, name: &str) -> PathBuf {
        normal(&self.working, Path::new(name))
    }
}

/// A URI reference.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Uri {
    /// Its text.
    pub(crate) text: String,
    /// Whether it is relative to the project's folder.
    pub(crate) is_relative: bool,
}

fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Paths {
        Paths::new("/repo/infra".into(), [])
    }

    #[test]
    fn files_below_the_folder_are_relative_to_it() {
        for (name, expected) in [
            ("haproxy.cfg", "haproxy.cfg"),
            ("./a/../b/x.cfg", "b/x.cfg"),
            ("/repo/infra/b/x.cfg", "b/x.cfg"),
            ("../infra/x.cfg", "x.cfg"),
            ("../x.cfg", "../x.cfg"),
            ("/etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg"),
            ("-", "-"),
        ] {
            assert_eq!(paths().relative(name), expected, "{name}");
        }
    }

    #[test]
    fn in_a_ci_job_paths_start_at_the_checkout() {
        let relative = |checkout: &str| {
            Paths::new("/repo/infra".into(), [checkout.into()]).relative("../x.cfg")
        };
        assert_eq!(relative("/repo"), "x.cfg");
        assert_eq!(relative("/repo/other"), "../x.cfg");
        assert_eq!(relative(""), "../x.cfg");
        let paths = Paths::new("/repo/infra".into(), ["/repo".into()]);
        assert_eq!(paths.relative("x.cfg"), "infra/x.cfg");
    }

    #[test]
    fn uris_are_encoded_and_never_lead_upward() {
        for (name, expected, is_relative) in [
            ("a b/größe.cfg", "a%20b/gr%C3%B6%C3%9Fe.cfg", true),
            ("100%/#1?.cfg", "100%25/%231%3F.cfg", true),
            ("C:\\conf\\x.cfg", "C%3A%5Cconf%5Cx.cfg", true),
            ("../x.cfg", "file:///repo/x.cfg", false),
            ("/etc/x y.cfg", "file:///etc/x%20y.cfg", false),
        ] {
            let text = expected.to_owned();
            assert_eq!(paths().uri(name), Uri { text, is_relative }, "{name}");
        }
    }
}
