//! Where configuration text lives: every file that was read, and positions in it.
//!
//! In: the bytes of a file and the name it is shown by. Out: [`SourceId`]s, [`Span`]s and, when a
//! report asks, lines and columns. Bytes stay bytes: a configuration need not be UTF-8.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

/// Names one loaded file of a run.
///
/// The number depends on the order in which threads read files; it must never be shown or sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(NonZeroU32);

impl SourceId {
    /// The id of the file at `index` of all.
    fn at(index: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(to_u32(index)))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The id as a number above 0.
    pub(crate) const fn number(self) -> u32 {
        self.0.get()
    }

    /// The id that [`Self::number`] made this number of; `None` for 0.
    pub(crate) fn of_number(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }
}

/// A run of bytes in one source: `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// Whether `inner` is a part of this span.
    pub fn holds(self, inner: Self) -> bool {
        self.source == inner.source && self.start <= inner.start && inner.end <= self.end
    }

    /// A span from `start` to `end` in `source`.
    pub fn new(source: SourceId, start: u32, end: u32) -> Self {
        Self { source, start, end }
    }

    /// The span from the start of `self` to the end of `other`, which stands later in the same file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            end: other.end,
            ..self
        }
    }

    /// An empty span at the start of `self`.
    #[must_use]
    pub fn at_start(self) -> Self {
        Self {
            end: self.start,
            ..self
        }
    }
}

/// A place a person can look up: both numbers count from 1, the column in Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// Line number.
    pub line: u32,
    /// Column number; each byte that is not valid UTF-8 counts as one character.
    pub column: u32,
}

impl Position {
    /// The place of the byte at `offset` of `text`.
    pub(crate) fn in_text(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or_default();
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: to_u32(before.matches('\n').count()) + 1,
            column: to_u32(last.chars().count()) + 1,
        }
    }
}

/// `path` as seen from the folder `working`, without `.` and `..`. Links are not followed: the path is a name.
pub(crate) fn normal(working: &Path, path: &Path) -> PathBuf {
    let mut normal = working.to_owned();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                normal.push(component);
            }
        }
    }
    normal
}

/// [`normal`] as seen from the working folder of this process.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    normal(&std::env::current_dir().unwrap_or_default(), path)
}

/// One file as it was read.
#[derive(Debug)]
pub struct Source {
    name: Box<str>,
    content: Content,
    included_from: Option<Span>,
    line_starts: OnceLock<Box<[u32]>>,
}

/// What is in a file. Nearly every one is text as a whole: its parts need not be checked again.
#[derive(Debug)]
enum Content {
    Text(Box<str>),
    Bytes(Box<[u8]>),
}

impl Content {
    fn new(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text.into()),
            Err(error) => Self::Bytes(error.into_bytes().into()),
        }
    }
}

impl Source {
    /// The path as the user knows it: relative where the user gave a relative path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole content.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Text(text) => text.as_bytes(),
            Content::Bytes(bytes) => bytes,
        }
    }

    /// The same as text, where the whole file is UTF-8.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Bytes(_) => None,
        }
    }

    /// The `include` that brought this file in, for files that were not named by the user.
    pub fn included_from(&self) -> Option<Span> {
        self.included_from
    }

    /// The bytes of `span`, which must be of this source; empty where it is out of range.
    pub fn slice(&self, span: Span) -> &[u8] {
        self.bytes()
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// The number of the line, from 1, that the byte at `offset` is on.
    pub fn line_of(&self, offset: u32) -> u32 {
        let starts = self.line_starts();
        to_u32(starts.partition_point(|&start| start <= offset).max(1))
    }

    /// The line and column of the byte at `offset`.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_of(offset);
        let start = self.line(line).map_or(0, |(start, _)| start);
        let before = self
            .bytes()
            .get(start as usize..offset as usize)
            .unwrap_or_default();
        Position {
            line,
            column: to_u32(count_chars(before) + 1),
        }
    }

    /// The bytes of line `line` (from 1) without its line end, and the offset of its first byte.
    pub fn line(&self, line: u32) -> Option<(u32, &[u8])> {
        let starts = self.line_starts();
        let index = (line as usize).checked_sub(1)?;
        let start = *starts.get(index)?;
        let end = starts
            .get(index + 1)
            .map_or(self.bytes().len(), |&next| next as usize);
        let text = self.bytes().get(start as usize..end)?;
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        Some((start, text.strip_suffix(b"\r").unwrap_or(text)))
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let after = memchr::memchr_iter(b'\n', self.bytes()).map(|at| to_u32(at + 1));
            std::iter::once(0).chain(after).collect()
        })
    }
}

/// The number of characters in `bytes`, each invalid byte counted as one.
pub(crate) fn count_chars(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// All files of a run. Shared by the threads that load instances; files are only ever added.
#[derive(Debug, Default)]
pub struct Sources {
    files: RwLock<Vec<Arc<Source>>>,
}

impl Sources {
    /// The largest file that can be read: offsets are 32 bits.
    pub const MAX_BYTES: usize = u32::MAX as usize - 1;

    /// Keeps a file and gives it an id. `bytes` must not exceed [`Self::MAX_BYTES`].
    pub fn add(
        &self,
        name: impl Into<Box<str>>,
        bytes: Vec<u8>,
        included_from: Option<Span>,
    ) -> (SourceId, Arc<Source>) {
        let source = Arc::new(Source {
            name: name.into(),
            content: Content::new(bytes),
            included_from,
            line_starts: OnceLock::new(),
        });
        let mut files = self
            .files
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let id = SourceId::at(files.len());
        files.push(Arc::clone(&source));
        (id, source)
    }

    /// The file behind an id that [`Self::add`] gave.
    ///
    /// # Panics
    /// When `id` is of another `Sources`, which is a mistake in this program.
    pub fn get(&self, id: SourceId) -> Arc<Source> {
        let files = self
            .files
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        #[allow(clippy::indexing_slicing, reason = "ids are only made by `add`")]
        Arc::clone(&files[id.index()])
    }

    /// The text of `span`, with invalid UTF-8 replaced.
    pub fn text(&self, span: Span) -> String {
        match String::from_utf8_lossy(self.get(span.source).slice(span)) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        }
    }

    /// Name of the file and position of the first byte of `span`.
    pub fn locate(&self, span: Span) -> (Arc<Source>, Position) {
        let source = self.get(span.source);
        let position = source.position(span.start);
        (source, position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_invalid_bytes() {
        let sources = Sources::default();
        let (_, source) = sources.add("x", b"a\n\xc3\xa4\xff b".to_vec(), None);
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(2), Position { line: 2, column: 1 });
        assert_eq!(source.position(4), Position { line: 2, column: 2 });
        assert_eq!(source.position(6), Position { line: 2, column: 4 });
    }

    #[test]
    fn lines_come_without_their_end() {
        let sources = Sources::default();
        let (_, source) = sources.add("x", b"a\r\nb".to_vec(), None);
        assert_eq!(source.line(1), Some((0, &b"a"[..])));
        assert_eq!(source.line(2), Some((3, &b"b"[..])));
        assert_eq!(source.line(3), None);
    }
}
