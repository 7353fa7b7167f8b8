//! The directives that nginx knows: where they may stand and what they take.
//!
//! In: a name. Out: what is known of it, under a number that a tree keeps. The table was recorded from nginx
//! 1.22.1 (`scripts/record_directives.py`). Directives of newer versions, commercial ones and those of other
//! modules are not in it.

use std::sync::LazyLock;

use foldhash::{HashMap, HashMapExt as _};

use super::grammar;
use super::name::Name;
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
    pub(crate) fn inside(self, name: Name) -> Option<Self> {
        Some(match (self, name) {
            (Self::Main, Name::Events) => Self::Events,
            (Self::Main, Name::Http) => Self::Http,
            (Self::Main, Name::Stream) => Self::Stream,
            (Self::Http, Name::Server) => Self::Server,
            (Self::Http, Name::Upstream) => Self::Upstream,
            (Self::Server | Self::Location, Name::Location) => Self::Location,
            (Self::Server, Name::If) => Self::ServerIf,
            (Self::Location, Name::If) => Self::LocationIf,
            (Self::Location, Name::LimitExcept) => Self::LimitExcept,
            (Self::Stream, Name::Server) => Self::StreamServer,
            (Self::Stream, Name::Upstream) => Self::StreamUpstream,
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

/// What is known of the directives of one name.
#[derive(Debug)]
pub(crate) struct Known {
    /// The name; empty for all that are not in the table.
    pub(crate) text: &'static str,
    /// The same as far as it matters here.
    pub(crate) name: Name,
    /// The ways of writing it; none where it was not recorded.
    pub(crate) forms: Vec<Form>,
    /// Whether only commercial nginx has it.
    pub(crate) commercial: bool,
    /// As [`grammar::needs_block`] tells it.
    pub(crate) needs_block: bool,
}

impl Known {
    fn new(text: &'static str) -> Self {
        Self {
            text,
            name: Name::of(text),
            forms: Vec::new(),
            commercial: COMMERCIAL.contains(&text),
            needs_block: grammar::needs_block(text.as_bytes()),
        }
    }
}

/// Directives that only commercial nginx has.
const COMMERCIAL: &[&str] = &[
    "health_check",
    "status_zone",
    "zone_sync",
    "keyval_zone",
    "keyval",
    "auth_jwt",
    "auth_jwt_key_file",
    "api",
    "upstream_conf",
    "ntlm",
    "least_time",
    "queue",
    "session_log",
    "f4f",
    "hls",
];

/// The number of a name in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(u16);

impl Id {
    /// Of every name that is not in the table.
    pub(crate) const UNKNOWN: Self = Self(u16::MAX);

    /// Of the directive `name`.
    pub(crate) fn of(name: &[u8]) -> Self {
        TABLE.ids.get(name).copied().unwrap_or(Self::UNKNOWN)
    }

    /// All that there are, in order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Self::UNKNOWN.0).map(Self)
    }

    /// What is known of it.
    #[inline]
    pub(crate) fn known(self) -> &'static Known {
        TABLE.known.get(self.index()).unwrap_or(&TABLE.unknown)
    }

    /// The number as a place in a list with one entry for each name.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

struct Table {
    unknown: Known,
    /// By [`Id`].
    known: Vec<Known>,
    ids: HashMap<&'static [u8], Id>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        unknown: Known::new(""),
        known: Vec::with_capacity(1024),
        ids: HashMap::with_capacity(1024),
    };
    for (name, form) in include_str!("directives.tsv").lines().filter_map(row) {
        if let Some(known) = table.add(name) {
            known.forms.reserve_exact(1);
            known.forms.push(form);
        }
    }
    let listed = Name::LISTED.iter().map(|(name, _)| name);
    for name in listed.chain(COMMERCIAL) {
        table.add(name);
    }
    table
});

impl Table {
    /// The entry for `name`, a new one where there is none.
    fn add(&mut self, name: &'static str) -> Option<&mut Known> {
        let next = Id(u16::try_from(self.known.len()).ok()?);
        let id = *self.ids.entry(name.as_bytes()).or_insert(next);
        if id == next {
            self.known.push(Known::new(name));
        }
        self.known.get_mut(id.index())
    }
}

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

/// The names of all directives that were recorded.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let recorded = TABLE.known.iter().filter(|known| !known.forms.is_empty());
    recorded.map(|known| known.text)
}

#[cfg(test)]
mod tests {
    use super::{Id, Kind, Place, row};

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
        let timeout = Id::of(b"proxy_read_timeout").known().forms.first().unwrap();
        assert_eq!(timeout.value, Kind::Time);
    }

    #[test]
    fn a_name_can_have_several_forms() {
        let forms = &Id::of(b"server").known().forms;
        let server = |place| forms.iter().find(move |form| form.fits(place));
        assert!(server(Place::Http).unwrap().block);
        assert!(!server(Place::Upstream).unwrap().block);
        assert!(server(Place::Location).is_none());
        assert_eq!(Id::of(b"proxy_pas"), Id::UNKNOWN);
    }
}
