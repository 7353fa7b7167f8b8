//! A value together with where it comes from.

use crate::source::Span;

/// Where a value was written, if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On the object itself.
    Explicit(Span),
    /// On a `default-server` line of the same section (HAProxy).
    DefaultServer(Span),
    /// In a `defaults` section (HAProxy).
    Defaults(Span),
    /// In an enclosing block (nginx).
    OuterScope(Span),
    /// Nowhere: the engine's documented default.
    EngineDefault,
    /// Written with a variable whose value is not known. The value beside it means nothing.
    Opaque(Span),
}

impl Origin {
    /// The place where the value is written.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Explicit(span)
            | Self::DefaultServer(span)
            | Self::Defaults(span)
            | Self::OuterScope(span)
            | Self::Opaque(span) => Some(span),
            Self::EngineDefault => None,
        }
    }

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Explicit(_) => "explicit",
            Self::DefaultServer(_) => "default-server",
            Self::Defaults(_) => "defaults",
            Self::OuterScope(_) => "outer-scope",
            Self::EngineDefault => "engine-default",
            Self::Opaque(_) => "unknown",
        }
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
            origin: Origin::EngineDefault,
        }
    }

    /// A value written on the object itself.
    pub const fn explicit(value: T, span: Span) -> Self {
        Self {
            value,
            origin: Origin::Explicit(span),
        }
    }

    /// Whether somebody wrote it, here or in a scope it is inherited from.
    pub fn is_written(&self) -> bool {
        !matches!(self.origin, Origin::EngineDefault)
    }

    /// Whether it depends on a variable of unknown value.
    pub fn is_opaque(&self) -> bool {
        matches!(self.origin, Origin::Opaque(_))
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
