//! Keywords that are written almost right.
//!
//! In: a word that nothing is known by, and the words it could be. Out: the one that was meant. A word that is
//! like none of them may belong to a newer version or to a module, and is left alone.

/// The known word that `word` was meant to be: within two edits and a third of its length.
///
/// Words that differ in their digits only, or by an appended part, are siblings and no slips.
pub(crate) fn meant<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let close = |other: &&str| other.len().abs_diff(word.len()) <= 2;
    let candidates = known.into_iter().filter(close);
    let (distance, other) = candidates
        .map(|other| (strsim::osa_distance(word, other), other))
        .min()?;
    (distance > 0 && distance <= 2 && distance * 3 <= word.len() && is_slip(word, other))
        .then_some(other)
}

/// The known name that is nearest to `name`, which a user typed, where one is near at all: within three
/// edits and half of its length.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let known = known.into_iter();
    let (distance, nearest) = known
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()?;
    (distance <= 3.min(name.chars().count() / 2)).then_some(nearest)
}

fn is_slip(word: &str, other: &str) -> bool {
    let letters = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
    let appended = word.starts_with(other) && word.len() > other.len() + 1;
    letters(word) != letters(other) && !appended
}

#[cfg(test)]
mod tests {
    use super::{meant, nearest};

    const KNOWN: [&str; 4] = ["weight", "check", "send-proxy-v2", "http"];

    #[test]
    fn a_slip_is_told_from_another_word() {
        assert_eq!(meant("weigth", KNOWN), Some("weight"));
        assert_eq!(meant("chek", KNOWN), Some("check"));
        assert_eq!(meant("checkk", KNOWN), Some("check"));
        assert_eq!(meant("htp", KNOWN), Some("http"));
    }

    #[test]
    fn a_name_far_from_all_others_has_no_nearest() {
        assert_eq!(nearest("wieght", KNOWN), Some("weight"));
        assert_eq!(nearest("htp", KNOWN), Some("http"));
        assert_eq!(nearest("tls", KNOWN), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn siblings_and_strangers_are_left_alone() {
        assert_eq!(meant("send-proxy-v3", KNOWN), None);
        assert_eq!(meant("check-ssl", KNOWN), None);
        assert_eq!(meant("guid", KNOWN), None);
        assert_eq!(meant("weight", KNOWN), None);
    }
}
