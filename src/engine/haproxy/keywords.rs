//! Words that HAProxy knows, and the slips that can be made in writing them.
//!
//! The lists hold the words of 2.6 (`haproxy -dKall`), those that older versions had and those that came up to
//! 3.3: a word on a list is never a slip.

mod lists;

use super::words;
use crate::spelling;

/// What kind of word stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first word of a line in a `defaults`, `frontend`, `backend` or `listen` section.
    Line,
    /// An option of a `server` or `default-server` line.
    Server,
    /// The word behind `option`.
    Option,
    /// The word behind `timeout`.
    Timeout,
    /// The word behind `mode`.
    Mode,
    /// The word behind `balance`, without its argument.
    Balance,
    /// The word behind `hash-type`.
    HashType,
    /// The word behind `stats`.
    Stats,
    /// The word behind `http-check`, without its argument.
    HttpCheck,
    /// The word behind `tcp-check`, without its argument.
    TcpCheck,
    /// A word behind the name of a `cookie` line.
    Cookie,
}

/// Every kind.
const KINDS: [Kind; 11] = [
    Kind::Line,
    Kind::Server,
    Kind::Option,
    Kind::Timeout,
    Kind::Mode,
    Kind::Balance,
    Kind::HashType,
    Kind::Stats,
    Kind::HttpCheck,
    Kind::TcpCheck,
    Kind::Cookie,
];

impl Kind {
    fn lists(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Line => &[lists::LINES, words::SECTIONS],
            Self::Server => &[lists::FLAGS, words::WITH_VALUE],
            Self::Option => &[lists::OPTIONS],
            Self::Timeout => &[lists::TIMEOUTS],
            Self::Mode => &[lists::MODES],
            Self::Balance => &[lists::ALGORITHMS],
            Self::HashType => &[&["map-based", "consistent"]],
            Self::Stats => &[lists::STATS],
            Self::HttpCheck => &[lists::HTTP_CHECKS],
            Self::TcpCheck => &[lists::TCP_CHECKS],
            Self::Cookie => &[lists::COOKIES],
        }
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        self.lists().iter().flat_map(|list| list.iter().copied())
    }

    fn knows(self, word: &str) -> bool {
        self.words().any(|known| known == word)
    }
}

/// What is known of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Some version knows it.
    Known,
    /// It is almost this one.
    Slip(&'static str),
    /// No version knows it here: it is a keyword of another place, or has letters that no keyword has.
    Foreign,
    /// It is like none: perhaps of a version to come.
    Strange,
}

/// Whether `word` starts lines of proxy sections and of no other section.
pub(crate) fn is_of_proxies(word: &str) -> bool {
    lists::OF_PROXIES.binary_search(&word).is_ok()
}

/// Whether `word` is an option of servers in some version.
pub(crate) fn is_server_option(word: &str) -> bool {
    Kind::Server.knows(word)
}

/// Looks `word` up among the keywords of its place.
pub(crate) fn look_up(kind: Kind, word: &str) -> Word {
    if kind.knows(word) {
        return Word::Known;
    }
    let small = || word.to_ascii_lowercase();
    let meant = spelling::meant(word, kind.words())
        .or_else(|| kind.words().find(|known| small() == **known));
    match meant {
        Some(meant) => Word::Slip(meant),
        None if is_foreign(word) => Word::Foreign,
        None => Word::Strange,
    }
}

/// Keywords start with a small letter, with more of them, digits, `-` and `_` behind it. One that means
/// something at another place is not about to get a second meaning.
fn is_foreign(word: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    word.len() < 2
        || !word.bytes().all(allowed)
        || !word.starts_with(|first: char| first.is_ascii_lowercase())
        || KINDS.iter().any(|kind| kind.knows(word))
        || lists::VALUES.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Word, look_up};

    #[test]
    fn slips_are_found_among_the_words_of_their_place() {
        for (kind, word, meant) in [
            (Kind::Server, "weigth", "weight"),
            (Kind::Option, "redispach", "redispatch"),
            (Kind::Timeout, "conect", "connect"),
            (Kind::Line, "backed", "backend"),
            (Kind::Mode, "htp", "http"),
            (Kind::Balance, "roundrobbin", "roundrobin"),
            (Kind::HashType, "consistant", "consistent"),
            (Kind::Server, "CHECK", "check"),
        ] {
            assert_eq!(look_up(kind, word), Word::Slip(meant), "{word}");
        }
    }

    #[test]
    fn words_that_belong_elsewhere_are_told_from_new_ones() {
        for (kind, word) in [
            (Kind::Line, "roundrobin"),
            (Kind::Line, "httpchk"),
            (Kind::Server, "10.0.0.1:80"),
            (Kind::Server, "5s"),
            (Kind::Server, "100"),
            (Kind::Timeout, "option"),
            (Kind::Mode, ""),
        ] {
            assert_eq!(look_up(kind, word), Word::Foreign, "{word}");
        }
    }

    #[test]
    fn other_words_are_no_slips() {
        assert_eq!(look_up(Kind::Server, "no-check"), Word::Known);
        assert_eq!(look_up(Kind::Option, "httpslog"), Word::Known);
        assert_eq!(look_up(Kind::Line, "errorloc302"), Word::Known);
        assert_eq!(look_up(Kind::Server, "quantum-tunnel"), Word::Strange);
    }
}
