//! Where a value is written, and readers of single values.
//!
//! In: words of a line. Out: [`Setting`]s with their origin.

use super::super::tree::LineRef;
use super::super::units;
use crate::model::{Origin, OriginKind, Setting, Text};
use crate::source::Span;

/// The kind of place a line stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The section or server itself.
    Own,
    /// A `default-server` line of a proxy.
    DefaultServer,
    /// A `defaults` section.
    Defaults,
}

impl Scope {
    /// The origin of a value written at `span`.
    pub(super) fn origin(self, span: Span) -> Origin {
        match self {
            Self::Own => Origin::explicit(span),
            Self::DefaultServer => Origin::new(OriginKind::DefaultServer, span),
            Self::Defaults => Origin::new(OriginKind::Defaults, span),
        }
    }

    /// A value written at `span`.
    pub(super) fn set<T>(self, value: T, span: Span) -> Setting<T> {
        Setting {
            value,
            origin: self.origin(span),
        }
    }

    /// A value read from word `at` of `line`, which is opaque when that word is.
    pub(super) fn read<T>(self, value: T, line: LineRef<'_>, at: usize, span: Span) -> Setting<T> {
        let origin = if line.is_opaque(at) {
            Origin::opaque(span)
        } else {
            self.origin(span)
        };
        Setting { value, origin }
    }
}

/// Word `at` as a count.
pub(super) fn number(line: LineRef<'_>, at: usize) -> u32 {
    units::unsigned(line.word(at))
}

/// Word `at` as text.
pub(super) fn text(line: LineRef<'_>, at: usize) -> Text {
    line.word(at).into()
}
