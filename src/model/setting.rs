//! A value together with where it comes from.

use std::fmt;

use crate::source::{SourceId, Span};

/// What kind of place a value was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// On the object itself.
    Explicit,
    /// On a `default-server` line of the same section (HAProxy).
    DefaultServer,
    /// In a `defaults` section (HAProxy).
    Defaults,
    /// In an enclosing block (nginx).
    OuterScope,
    /// Nowhere: the engine's documented default.
    EngineDefault,
    /// Written with a variable whose value is not known. The value beside it means nothing.
    Opaque,
}

/// Where a value was written, if it was.
///
/// Every setting of every server has one, so it is kept in 8 bytes: of words longer than
/// [`Self::MOST_BYTES`] it keeps the beginning, and of files beyond the first 2^18 none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// A number of 32 bits. As bytes it needs no padding behind a small value.
    start: [u8; 4],
    /// The same; from the lowest bits on: kind, length, number of the source (0 for none).
    packed: [u8; 4],
}

/// Bits of [`Origin::packed`] that hold the kind.
const KIND_BITS: u32 = 3;
/// Bits of [`Origin::packed`] that hold the length.
const LENGTH_BITS: u32 = 11;

impl Origin {
    /// The longest place that is kept whole, in bytes.
    pub const MOST_BYTES: u32 = (1 << LENGTH_BITS) - 1;

    /// The engine's documented default.
    pub const ENGINE_DEFAULT: Self = Self::packed(0, OriginKind::EngineDefault as u32);

    const fn packed(start: u32, packed: u32) -> Self {
        Self {
            start: start.to_ne_bytes(),
            packed: packed.to_ne_bytes(),
        }
    }

    /// Written at `span` in a place of this kind.
    pub const fn new(kind: OriginKind, span: Span) -> Self {
        const SOURCE_SHIFT: u32 = KIND_BITS + LENGTH_BITS;
        let length = span.end.saturating_sub(span.start);
        let length = if length < Self::MOST_BYTES {
            length
        } else {
            Self::MOST_BYTES
        };
        let number = span.source.number();
        let source = if number >> (u32::BITS - SOURCE_SHIFT) == 0 {
            number << SOURCE_SHIFT
        } else {
            0
        };
        Self::packed(span.start, source | length << KIND_BITS | kind as u32)
    }

    /// Written on the object itself.
    pub const fn explicit(span: Span) -> Self {
        Self::new(OriginKind::Explicit, span)
    }

    /// Written with a variable whose value is not known.
    pub const fn opaque(span: Span) -> Self {
        Self::new(OriginKind::Opaque, span)
    }

    /// The kind of place.
    pub const fn kind(self) -> OriginKind {
        use OriginKind::{DefaultServer, Defaults, EngineDefault, Explicit, Opaque, OuterScope};
        match u32::from_ne_bytes(self.packed) & ((1 << KIND_BITS) - 1) {
            0 => Explicit,
            1 => DefaultServer,
            2 => Defaults,
            3 => OuterScope,
            4 => EngineDefault,
            _ => Opaque,
        }
    }

    /// The place where the value is written.
    pub fn span(self) -> Option<Span> {
        let packed = u32::from_ne_bytes(self.packed);
        let source = SourceId::of_number(packed >> (KIND_BITS + LENGTH_BITS))?;
        let start = u32::from_ne_bytes(self.start);
        let length = packed >> KIND_BITS & Self::MOST_BYTES;
        Some(Span::new(source, start, start + length))
    }

    /// The place of a value that is written on the object itself.
    pub fn own_span(self) -> Option<Span> {
        self.span().filter(|_| self.kind() == OriginKind::Explicit)
    }

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self.kind() {
            OriginKind::Explicit => "explicit",
            OriginKind::DefaultServer => "default-server",
            OriginKind::Defaults => "defaults",
            OriginKind::OuterScope => "outer-scope",
            OriginKind::EngineDefault => "engine-default",
            OriginKind::Opaque => "unknown",
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.kind(), self.span())
    }
}

/// A value that can be written, inherited or left to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The effective value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// A value nobody wrote.
    pub const fn engine_default(value: T) -> Self {
        Self {
            value,
            origin: Origin::ENGINE_DEFAULT,
        }
    }

    /// A value written on the object itself.
    pub const fn explicit(value: T, span: Span) -> Self {
        Self {
            value,
            origin: Origin::explicit(span),
        }
    }

    /// Whether somebody wrote it, here or in a scope it is inherited from.
    pub fn is_written(&self) -> bool {
        self.origin.kind() != OriginKind::EngineDefault
    }

    /// Whether it depends on a variable of unknown value.
    pub fn is_opaque(&self) -> bool {
        self.origin.kind() == OriginKind::Opaque
    }

    /// The value, unless it is opaque.
    pub fn known(&self) -> Option<&T> {
        if self.is_opaque() {
            None
        } else {
            Some(&self.value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn an_origin_keeps_its_kind_and_place() {
        use OriginKind::{DefaultServer, Defaults, Explicit, Opaque, OuterScope};
        let sources = Sources::default();
        for number in 0..9 {
            let (source, _) = sources.add(format!("{number}"), Vec::new(), None);
            let end = number + Origin::MOST_BYTES;
            let span = Span::new(source, number, end);
            for kind in [Explicit, DefaultServer, Defaults, OuterScope, Opaque] {
                let origin = Origin::new(kind, span);
                assert_eq!((origin.kind(), origin.span()), (kind, Some(span)));
            }
            let longer = Span::new(source, number, u32::MAX);
            assert_eq!(Origin::explicit(longer).span(), Some(span));
        }
        assert_eq!(Origin::ENGINE_DEFAULT.kind(), OriginKind::EngineDefault);
        assert_eq!(Origin::ENGINE_DEFAULT.span(), None);
    }
}
