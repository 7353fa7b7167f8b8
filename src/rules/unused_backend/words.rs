//! The words of a configuration that may be the name of a backend.
//!
//! In: the bytes of a file. Out: words with their places, without those that only look alike: of
//! comments, of paths, names of servers, ACLs and other things. Whatever is left may be a reference:
//! a name in a fetch, a table, a map, a script's argument.

use crate::model::Engine;

/// Words in front of a name that give it to something else than a reference to the backend.
const OTHER_NAMES: [&[u8]; 6] = [
    b"acl",
    b"server",
    b"server-template",
    b"server_name",
    b"cookie",
    b"zone",
];

/// The words, in order.
pub(super) fn that_may_name_a_backend(
    engine: Engine,
    bytes: &[u8],
) -> impl Iterator<Item = (usize, &[u8])> {
    lines(bytes).flat_map(move |(start, line)| {
        Words::new(engine, without_comment(line)).map(move |(at, word)| (start + at, word))
    })
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(move |line| {
            let at = start;
            start += line.len();
            (at, line)
        })
}

/// The line up to a `#` that begins a word.
fn without_comment(line: &[u8]) -> &[u8] {
    let begins = |at: &usize| {
        let before = at.checked_sub(1).and_then(|at| line.get(at));
        before.is_none_or(u8::is_ascii_whitespace)
    };
    let comment = memchr::memchr_iter(b'#', line).find(begins);
    comment.and_then(|at| line.get(..at)).unwrap_or(line)
}

/// The words of one line.
struct Words<'l> {
    engine: Engine,
    line: &'l [u8],
    at: usize,
    last: &'l [u8],
    /// Behind `if` or `unless`, where ACLs are named.
    in_condition: bool,
}

impl<'l> Words<'l> {
    fn new(engine: Engine, line: &'l [u8]) -> Self {
        Self {
            engine,
            line,
            at: 0,
            last: b"",
            in_condition: false,
        }
    }

    /// The next run of bytes that names are made of.
    fn word(&mut self) -> Option<(usize, &'l [u8])> {
        let rest = self.line.get(self.at..)?;
        let start = self.at + rest.iter().position(|byte| is_part(*byte))?;
        let from = self.line.get(start..)?;
        let length = from.iter().position(|byte| !is_part(*byte));
        let word = from.get(..length.unwrap_or(from.len()))?;
        self.at = start + word.len();
        Some((start, word))
    }

    fn is_name(&self, start: usize) -> bool {
        let before = self.line.get(..start).unwrap_or_default();
        // A URL has its host behind two slashes, a path its first part behind one.
        let in_path = before.ends_with(b"/") && !before.ends_with(b"//");
        let is_argument = before.ends_with(b"(") || before.ends_with(b",");
        !in_path && (is_argument || !self.in_condition) && !OTHER_NAMES.contains(&self.last)
    }
}

impl<'l> Iterator for Words<'l> {
    type Item = (usize, &'l [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (start, word) = self.word()?;
            let is_name = self.is_name(start);
            self.last = word;
            self.in_condition |=
                self.engine == Engine::Haproxy && matches!(word, b"if" | b"unless");
            if is_name {
                return Some((start, word));
            }
        }
    }
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte) || byte > 127
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(engine: Engine, text: &str) -> Vec<&str> {
        let words = that_may_name_a_backend(engine, text.as_bytes());
        words
            .filter_map(|(_, word)| std::str::from_utf8(word).ok())
            .collect()
    }

    #[test]
    fn only_what_can_be_a_reference_is_left() {
        let text = "# use web\n  acl web path_beg /web # web\n server web 10.0.0.1:80\n\
                    use_backend x if web { nbsrv(app) gt 0 }\n";
        assert_eq!(
            words(Engine::Haproxy, text),
            [
                "acl",
                "path_beg",
                "server",
                "10.0.0.1:80",
                "use_backend",
                "x",
                "if",
                "app"
            ]
        );
    }

    #[test]
    fn a_url_names_its_host_and_an_if_of_nginx_sets_values() {
        let text = "if ($v) { set $pool web; } proxy_redirect http://app/api /;";
        assert_eq!(
            words(Engine::Nginx, text),
            [
                "if",
                "v",
                "set",
                "pool",
                "web",
                "proxy_redirect",
                "http:",
                "app"
            ]
        );
    }
}
