//! The directives that nginx knows: where they may stand and what they take.
//!
//! In: a name. Out: its forms. The table was recorded from nginx 1.22.1 (`scripts/record_directives.py`).
//! Directives of newer versions, commercial ones and those of other modules are not in it.

use std::sync::LazyLock;

use foldhash::{HashMap, HashMapExt as _};

use super::value;

/// A block that directives stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Main,
    Events,
    Http,
    Server,
    Location,
    ServerIf,
    LocationIf,
    LimitExcept,
    Upstream,
    Stream,
    StreamServer,
    StreamUpstream,
}

impl Place {
    /// By the names of the recording.
    const NAMES: [(&'static str, Self); 12] = [
        ("main", Self::Main),
        ("events", Self::Events),
        ("http", Self::Http),
        ("server", Self::Server),
        ("location", Self::Location),
        ("server-if", Self::ServerIf),
        ("location-if", Self::LocationIf),
        ("limit_except", Self::LimitExcept),
        ("upstream", Self::Upstream),
        ("stream", Self::Stream),
        ("stream-server", Self::StreamServer),
        ("stream-upstream", Self::StreamUpstream),
    ];

    /// All of them, the outer before the inner.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().map(|(_, place)| place)
    }

    /// The place that the block `name` makes here, where its content is known.
    pub(crate) fn inside(self, name: &[u8]) -> Option<Self> {
        Some(match (self, name) {
            (Self::Main, b"events") => Self::Events,
            (Self::Main, b"http") => Self::Http,
            (Self::Main, b"stream") => Self::Stream,
            (Self::Http, b"server") => Self::Server,
            (Self::Http, b"upstream") => Self::Upstream,
            (Self::Server | Self::Location, b"location") => Self::Location,
            (Self::Server, b"if") => Self::ServerIf,
            (Self::Location, b"if") => Self::LocationIf,
            (Self::Location, b"limit_except") => Self::LimitExcept,
            (Self::Stream, b"server") => Self::StreamServer,
            (Self::Stream, b"upstream") => Self::StreamUpstream,
            _ => return None,
        })
    }

    /// What the block is called in words.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Main => "the main file itself",
            Self::Events => "`events`",
            Self::Http => "`http`",
            Self::Server => "`server`",
            Self::Location => "`location`",
            Self::ServerIf => "an `if` of `server`",
            Self::LocationIf => "an `if` of `location`",
            Self::LimitExcept => "`limit_except`",
            Self::Upstream => "`upstream`",
            Self::Stream => "`stream`",
            Self::StreamServer => "a `server` of `stream`",
            Self::StreamUpstream => "an `upstream` of `stream`",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What the only argument of a directive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Several, or a word that only the directive itself knows.
    Any,
    /// `on` or `off`.
    Flag,
    Number,
    /// Bytes, with a unit up to `m`.
    Size,
    /// Bytes, with a unit up to `g`.
    Offset,
    /// A time in whole seconds.
    Seconds,
    /// A time in milliseconds.
    Time,
}

impl Kind {
    /// By the names of the recording.
    const NAMES: [(&'static str, Self); 7] = [
        ("any", Self::Any),
        ("flag", Self::Flag),
        ("number", Self::Number),
        ("size", Self::Size),
        ("offset", Self::Offset),
        ("seconds", Self::Seconds),
        ("time", Self::Time),
    ];

    /// Whether nginx takes `text` (`ngx_conf_set_flag_slot` and its siblings).
    pub(crate) fn takes(self, text: &str) -> bool {
        let number = |digits: &str| {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<i64>().is_ok()
        };
        match self {
            Self::Any => true,
            Self::Flag => text.eq_ignore_ascii_case("on") || text.eq_ignore_ascii_case("off"),
            Self::Number => number(text),
            Self::Size => number(text.strip_suffix(['k', 'K', 'm', 'M']).unwrap_or(text)),
            Self::Offset => number(
                text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G'])
                    .unwrap_or(text),
            ),
            Self::Seconds => value::time(text, false).is_some(),
            Self::Time => value::time(text, true).is_some(),
        }
    }

    /// What is wanted, in words.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Flag => "`on` or `off`",
            Self::Number => "a plain number",
            Self::Size => "a number of bytes such as `8k` or `1m`",
            Self::Offset => "a number of bytes such as `8k`, `1m` or `1g`",
            Self::Seconds => "a time such as `60` or `5m`",
            Self::Time => "a time such as `5s`, `500ms` or `1m`",
        }
    }
}

/// One way of writing a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// It has a block.
    pub(crate) block: bool,
    /// The least number of arguments.
    pub(crate) least: usize,
    /// The most arguments; `None` where there is no end.
    pub(crate) most: Option<usize>,
    /// A second one in the same block is refused.
    pub(crate) once: bool,
    /// What its only argument is.
    pub(crate) value: Kind,
    places: u16,
}

impl Form {
    /// Whether it may stand at `place`.
    pub(crate) fn fits(self, place: Place) -> bool {
        self.places & place.bit() != 0
    }
}

static TABLE: LazyLock<HashMap<&'static [u8], Vec<Form>>> = LazyLock::new(|| {
    let mut table: HashMap<&'static [u8], Vec<Form>> = HashMap::new();
    for (name, form) in include_str!("directives.tsv").lines().filter_map(row) {
        table.entry(name.as_bytes()).or_default().push(form);
    }
    table
});

fn row(line: &'static str) -> Option<(&'static str, Form)> {
    let mut columns = line.split('\t');
    let (name, kind, arguments) = (columns.next()?, columns.next()?, columns.next()?);
    let (once, value, places) = (columns.next()?, columns.next()?, columns.next()?);
    let (least, most) = match arguments.strip_suffix('+') {
        Some(least) => (least, None),
        None => arguments
            .split_once('-')
            .map_or((arguments, Some(arguments)), |(least, most)| {
                (least, Some(most))
            }),
    };
    let bit = |place: &str| {
        let known = Place::NAMES.iter().find(|(name, _)| *name == place);
        known.map_or(0, |(_, place)| place.bit())
    };
    let form = Form {
        block: kind == "block",
        least: least.parse().ok()?,
        most: most.and_then(|most| most.parse().ok()),
        once: once == "once",
        value: Kind::NAMES.iter().find(|(name, _)| *name == value)?.1,
        places: places.split(' ').map(bit).fold(0, |all, bit| all | bit),
    };
    Some((name, form))
}

/// The forms of the directive `name`; none where it is not known.
pub(crate) fn forms(name: &[u8]) -> &'static [Form] {
    TABLE.get(name).map_or(&[], Vec::as_slice)
}

/// The names of all directives.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE
        .keys()
        .filter_map(|name| std::str::from_utf8(name).ok())
}

#[cfg(test)]
mod tests {
    use super::{Kind, Place, forms, row};

    #[test]
    fn every_line_of_the_recording_is_read() {
        for line in include_str!("directives.tsv").lines() {
            let (_, form) = row(line).unwrap();
            let places = line.split('\t').next_back().unwrap().split(' ').count();
            assert_eq!(form.places.count_ones() as usize, places, "{line}");
        }
    }

    #[test]
    fn values_are_taken_as_nginx_takes_them() {
        for (kind, taken, refused) in [
            (Kind::Flag, &["on", "OFF"][..], &["yes", "", "1"][..]),
            (
                Kind::Number,
                &["5", "007"],
                &["5k", "-1", "", "99999999999999999999"],
            ),
            (Kind::Size, &["5", "5k", "5M"], &["5g", "5kb", "k5", "-1"]),
            (Kind::Offset, &["5", "5g"], &["5t", "5gb"]),
            (Kind::Seconds, &["5", "5m", "1h 30m"], &["5ms", "5x", ""]),
            (Kind::Time, &["5", "5ms", "1m30s"], &["5S", "5k", "-1"]),
        ] {
            for text in taken {
                assert!(kind.takes(text), "{kind:?} {text}");
            }
            for text in refused {
                assert!(!kind.takes(text), "{kind:?} {text}");
            }
        }
        let timeout = forms(b"proxy_read_timeout").first().unwrap();
        assert_eq!(timeout.value, Kind::Time);
    }

    #[test]
    fn a_name_can_have_several_forms() {
        let server = |place| forms(b"server").iter().find(move |form| form.fits(place));
        assert!(server(Place::Http).unwrap().block);
        assert!(!server(Place::Upstream).unwrap().block);
        assert!(server(Place::Location).is_none());
        assert!(forms(b"proxy_pas").is_empty());
    }
}
