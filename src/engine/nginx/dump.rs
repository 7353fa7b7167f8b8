//! What `nginx -T` prints: every file of a configuration, one after another.
//!
//! In: bytes. Out: the files with their paths, when the bytes are such a dump. Each file follows a
//! line `# configuration file PATH:` and is followed by one line end that is not its own
//! (`ngx_dump_config` in src/core/nginx.c).

/// One file of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DumpedFile {
    /// Its path as nginx opened it.
    pub(crate) path: String,
    /// Where its content stands in the dump.
    pub(crate) start: usize,
    /// Behind its content.
    pub(crate) end: usize,
}

const HEADER: &[u8] = b"# configuration file ";

/// The files of a dump, or `None` for anything else. Messages of nginx may stand before the first.
pub(crate) fn split(bytes: &[u8]) -> Option<Vec<DumpedFile>> {
    let mut files: Vec<DumpedFile> = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let rest = bytes.get(start..)?;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let next = (start + length + 1).min(bytes.len());
        let line = rest.get(..length)?.trim_ascii_end();
        if let Some(path) = header_path(line) {
            if let Some(last) = files.last_mut() {
                last.end = content_end(bytes, last.start, start);
            }
            files.push(DumpedFile {
                path,
                start: next,
                end: bytes.len(),
            });
        } else if files.is_empty() && !line.is_empty() && !line.starts_with(b"nginx: ") {
            return None;
        }
        start = next;
    }
    if let Some(last) = files.last_mut() {
        last.end = content_end(bytes, last.start, bytes.len());
    }
    (!files.is_empty()).then_some(files)
}

fn header_path(line: &[u8]) -> Option<String> {
    let path = line.strip_prefix(HEADER)?.strip_suffix(b":")?;
    (!path.is_empty()).then(|| String::from_utf8_lossy(path).into_owned())
}

/// The end of a content that ends before `next`, without the line end that nginx adds.
fn content_end(bytes: &[u8], start: usize, next: usize) -> usize {
    let text = bytes.get(start..next).unwrap_or_default();
    let added = usize::from(text.ends_with(b"\n"));
    start + text.len() - added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_cut_out_without_the_line_end_that_nginx_adds() {
        let dump = b"nginx: the configuration file /e/n.conf syntax is ok\n# configuration file /e/n.conf:\ninclude b;\n\n# configuration file /e/b:\nx;\n";
        let files = split(dump).unwrap();
        let text = |file: &DumpedFile| std::str::from_utf8(&dump[file.start..file.end]).unwrap();
        assert_eq!(files[0].path, "/e/n.conf");
        assert_eq!(text(&files[0]), "include b;\n");
        assert_eq!(files[1].path, "/e/b");
        assert_eq!(text(&files[1]), "x;");
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn a_plain_file_is_no_dump() {
        assert_eq!(split(b"events {}\n# configuration file /e/b:\n"), None);
        assert_eq!(split(b""), None);
        assert_eq!(split(b"# configuration file:\n"), None);
    }
}
