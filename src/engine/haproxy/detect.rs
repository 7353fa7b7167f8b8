//! Tells HAProxy configurations from other files by their content.
//!
//! In: the bytes of a file. Out: the number of telling lines.

use super::words::is_section;

/// Files larger than this are judged by their beginning.
const LOOK_AT: usize = 256 * 1024;

/// How much `bytes` look like a HAProxy configuration: 0 for not at all.
///
/// A file counts when a line starts one of the proxy sections with a plain name, or `global` or
/// `defaults` alone, and nothing in the file speaks for an ini file or for nginx.
pub(crate) fn looks_like(bytes: &[u8]) -> u32 {
    let bytes = bytes.get(..LOOK_AT).unwrap_or(bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut sections, mut directives) = (0_u32, 0_u32);
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        rest = rest.get(end + 1..).unwrap_or_default();
        match judge(line) {
            Kind::Section => sections += 1,
            Kind::Directive if sections > 0 => directives += 1,
            Kind::Foreign if sections == 0 => return 0,
            Kind::Directive | Kind::Foreign | Kind::Neutral => {}
        }
    }
    if sections == 0 {
        return 0;
    }
    // A section alone is too little: `global` and `cache` are words of many languages.
    if directives == 0 {
        0
    } else {
        sections + directives
    }
}

enum Kind {
    Section,
    Directive,
    /// No line of a HAProxy file looks like this.
    Foreign,
    Neutral,
}

fn judge(line: &[u8]) -> Kind {
    let text = line.trim_ascii();
    if text.is_empty() || text.starts_with(b"#") {
        return Kind::Neutral;
    }
    if text.starts_with(b"[") || text.ends_with(b"{") || text.ends_with(b";") {
        return Kind::Foreign;
    }
    let is_gap = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = text.iter().position(is_gap);
    let (first, rest) = text.split_at(end.unwrap_or(text.len()));
    let gap = rest.iter().take_while(|byte| is_gap(byte)).count();
    if let Some([b'=' | b':', behind @ ..]) = rest.get(gap..)
        && behind.first().is_none_or(is_gap)
    {
        return Kind::Foreign;
    }
    let first = std::str::from_utf8(first).unwrap_or_default();
    let first = first.split('#').next().unwrap_or_default();
    if is_section(first) {
        return Kind::Section;
    }
    // First letters tell most words apart.
    let same = |name: &&str| name.as_bytes().first() == first.as_bytes().first() && *name == first;
    if DIRECTIVES.iter().any(same) {
        return Kind::Directive;
    }
    Kind::Neutral
}

/// Directives that stand in nearly every HAProxy file or fragment; the most frequent one comes first.
const DIRECTIVES: &[&str] = &[
    "server",
    ".if",
    "acl",
    "balance",
    "bind",
    "cookie",
    "daemon",
    "default-server",
    "default_backend",
    "errorfile",
    "hash-type",
    "http-check",
    "http-request",
    "http-response",
    "load",
    "log",
    "maxconn",
    "mode",
    "nameserver",
    "nbthread",
    "option",
    "peer",
    "retries",
    "server-template",
    "stats",
    "stick",
    "stick-table",
    "tcp-check",
    "tcp-request",
    "timeout",
    "tune.bufsize",
    "use-server",
    "use_backend",
    "user",
    "command",
    "mailer",
    "total-max-size",
    "trace",
    "docroot",
    "dispatch",
    "redirect",
    "http-error",
    "chroot",
    "group",
    "tune.ssl.default-dh-param",
    "table",
    "description",
];

#[cfg(test)]
mod tests {
    use super::looks_like;

    #[test]
    fn lines_of_other_languages_speak_against_a_file() {
        let file =
            |first: &str| format!("{first}\nglobal # of all\n\tmaxconn\t5\nbackend b\n log x\n");
        for (first, telling) in [
            ("", 4),
            ("# a = b", 4),
            ("key =value", 4),
            ("key = value", 0),
            ("key\t:", 0),
            ("[part]", 0),
            ("server {", 0),
        ] {
            assert_eq!(looks_like(file(first).as_bytes()), telling, "{first}");
        }
        assert_eq!(looks_like(b"global\n"), 0);
    }
}
