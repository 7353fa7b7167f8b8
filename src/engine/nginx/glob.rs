//! The file names that an `include` pattern stands for.
//!
//! In: a folder and a pattern relative to it. Out: paths sorted as glob(3) sorts them, which nginx
//! calls without flags: `*` does not match `/` or a leading dot, braces are ordinary characters.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::library::is_absent;

/// Whether nginx takes `pattern` for a pattern and not for a name.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// One part of a pattern between slashes.
enum Part {
    Name(String),
    Pattern { matcher: GlobMatcher, dot: bool },
}

impl Part {
    fn new(text: &str) -> Self {
        let matcher = is_pattern(text).then(|| compile(text)).flatten();
        match matcher {
            Some(matcher) => Self::Pattern {
                matcher,
                dot: text.starts_with('.'),
            },
            None => Self::Name(text.to_owned()),
        }
    }

    fn matches(&self, name: &OsStr) -> bool {
        match self {
            Self::Name(own) => name == own.as_str(),
            Self::Pattern { matcher, dot } => {
                (*dot || !name.as_encoded_bytes().starts_with(b".")) && matcher.is_match(name)
            }
        }
    }
}

/// `None` for what glob(3) takes literally, such as a `[` that is not closed.
fn compile(part: &str) -> Option<GlobMatcher> {
    let mut text = String::with_capacity(part.len() + 4);
    for character in part.chars() {
        match character {
            '{' | '}' => text.extend(['\\', character]),
            '*' if text.ends_with('*') => {}
            _ => text.push(character),
        }
    }
    let glob = GlobBuilder::new(&text)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    Some(glob.ok()?.compile_matcher())
}

/// Every existing path that `pattern` matches in `base`, as it is shown: `pattern` with its wildcards
/// filled in. A folder that cannot be read is an error: what is in it is not known.
pub(crate) fn expand(base: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let root = if pattern.starts_with('/') { "/" } else { "" };
    let mut found = vec![PathBuf::from(root)];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let part = Part::new(part);
        let mut next = Vec::new();
        for path in found {
            match &part {
                Part::Name(name) => next.push(path.join(name)),
                Part::Pattern { .. } => list(base, &path, &part, &mut next)?,
            }
        }
        found = next;
    }
    found.retain(|path| base.join(path).symlink_metadata().is_ok());
    found.sort_by(|a, b| bytes(a).cmp(bytes(b)));
    Ok(found)
}

fn list(base: &Path, folder: &Path, part: &Part, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let joined = base.join(folder);
    let here = if joined.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &joined
    };
    let entries = match here.read_dir() {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        if part.matches(&name) {
            found.push(folder.join(name));
        }
    }
    Ok(())
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// Whether `path` is one that `pattern` stands for; both are absolute or both are not.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let parts = |text: &'_ str| -> Vec<String> {
        let parts = text.split('/').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let (patterns, names) = (parts(pattern), parts(path));
    patterns.len() == names.len()
        && std::iter::zip(&patterns, &names)
            .all(|(pattern, name)| Part::new(pattern).matches(OsStr::new(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_glob_3_does() {
        for (pattern, path, expected) in [
            ("/etc/*.conf", "/etc/a.conf", true),
            ("/etc/*.conf", "/etc/.a.conf", false),
            ("/etc/.*.conf", "/etc/.a.conf", true),
            ("/etc/*", "/etc/a/b", false),
            ("/etc/**/*.conf", "/etc/a/b.conf", true),
            ("/etc/**/*.conf", "/etc/b.conf", false),
            ("/etc/**.conf", "/etc/b.conf", true),
            ("/etc/{a,b}*", "/etc/a", false),
            ("/etc/{a,b}*", "/etc/{a,b}c", true),
            ("/etc/[^a]", "/etc/b", true),
            ("/etc/[!a]", "/etc/a", false),
            ("/etc/a?", "/etc/ab", true),
            ("/etc/[a", "/etc/[a", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
