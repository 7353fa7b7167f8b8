//! What comments say: reasons, dates and annotations that a rule must respect.

use jiff::civil::Date;

/// The text of one or more comments, without their `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// What is meant for people.
    text: String,
    /// What is meant for this program, without its mark.
    annotations: String,
}

/// The mark of an annotation.
const ANNOTATION: &str = "lbaudit:";

/// HAProxy keywords that no sentence starts with.
const KEYWORDS: [&str; 18] = [
    "balance",
    "cookie",
    "default-server",
    "default_backend",
    "errorfile",
    "hash-type",
    "http-check",
    "http-request",
    "http-response",
    "option",
    "server-template",
    "stick",
    "stick-table",
    "tcp-check",
    "tcp-request",
    "tcp-response",
    "use-server",
    "use_backend",
];

/// Words for several servers.
const GROUPS: [&str; 14] = [
    "servers",
    "nodes",
    "machines",
    "instances",
    "backends",
    "hosts",
    "members",
    "workers",
    "replicas",
    "pool",
    "cluster",
    "boxes",
    "vms",
    "containers",
];

/// Parts of words about servers that are not like others.
const DIFFERENT: &[&str] = &[
    "weight", "share", "capacit", "size", "core", "cpu", "ram", "memory", "gb", "big", "small",
    "large", "strong", "weak", "fast", "slow", "power", "traffic", "percent", "%", "twice", "half",
    "more", "less", "canary", "drain", "maint", "disabled", "down", "out of", "off", "removed",
    "decom", "retire", "replace", "migrat", "repair", "broken", "standby", "spare", "legacy",
    "old", "new", "until", "only", "port", "differ", "except",
];

impl Notes {
    /// Notes from comment text as it stands in a file; `#` marks at line starts are dropped.
    pub fn new(comment: &str) -> Self {
        let mut notes = Self::default();
        let (mut before_text, mut before_annotation) = ("", "");
        for line in comment.lines() {
            let line = line.trim().trim_start_matches('#').trim();
            let (prose, annotation) = match line.split_once(ANNOTATION) {
                Some((prose, annotation)) => (prose, Some(annotation)),
                None => (line, None),
            };
            if !is_directive(prose) {
                notes.text.extend([before_text, prose]);
                before_text = " ";
            }
            if let Some(annotation) = annotation {
                notes.annotations.extend([before_annotation, annotation]);
                before_annotation = " ";
            }
        }
        notes
    }

    /// Adds what other notes say.
    pub fn add(&mut self, other: &Self) {
        for (text, more) in [
            (&mut self.text, &other.text),
            (&mut self.annotations, &other.annotations),
        ] {
            if !text.is_empty() && !more.is_empty() {
                text.push(' ');
            }
            text.push_str(more);
        }
    }

    /// Whether they state a reason: at least three words or a ticket id, and no date in the past.
    pub fn state_reason(&self, today: Date) -> bool {
        let words = || self.text.split_whitespace();
        let mut spoken = words().filter(|word| word.chars().any(char::is_alphabetic));
        let prose = spoken.nth(2).is_some();
        (prose || words().any(is_ticket)) && !self.expired(today)
    }

    /// Whether they are the heading of a group rather than a reason: they speak of servers and do not
    /// say what is different about them.
    pub fn are_heading(&self) -> bool {
        let mut words = self.words();
        words.any(|word| is_one_of(word, &GROUPS)) && !self.tell_a_difference()
    }

    /// Whether they say what is different about a server, until when, or by which ticket.
    pub fn tell_a_difference(&self) -> bool {
        self.text.contains('=')
            || self.text.split_whitespace().any(is_ticket)
            || self.mention(DIFFERENT)
    }

    /// Whether they are about several servers.
    pub fn are_general(&self) -> bool {
        let general =
            |word| is_one_of(word, &GROUPS) || is_one_of(word, &["weights", "each", "all"]);
        self.words().any(general)
    }

    /// Whether an `until=` or `review=` date has passed.
    pub fn expired(&self, today: Date) -> bool {
        // Most notes have no `KEY=VALUE` at all.
        if !self.text.contains('=') {
            return false;
        }
        ["until", "review"]
            .iter()
            .filter_map(|key| self.date(key))
            .any(|date| date < today)
    }

    /// The date of `KEY=YYYY-MM-DD`.
    pub fn date(&self, key: &str) -> Option<Date> {
        self.value(key)?.parse().ok()
    }

    /// The value of a `KEY=VALUE` word.
    pub fn value(&self, key: &str) -> Option<&str> {
        let pairs = self
            .text
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        pairs
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value)
            .next()
    }

    /// The value of an annotation, `lbaudit: KEY=VALUE`.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        let pairs = self
            .annotations
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        pairs
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value)
            .next()
    }

    /// The whole text on one line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its words, without the punctuation around them.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.text.split_whitespace();
        words.map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation()))
    }

    /// Whether `word` occurs, in any case, between characters that are no letters or digits.
    pub fn mention_word(&self, word: &str) -> bool {
        let (text, word) = (self.text.to_lowercase(), word.to_lowercase());
        let bounded = |(at, _): (usize, &str)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text
                .get(at + word.len()..)
                .and_then(|text| text.chars().next());
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        };
        !word.is_empty() && text.match_indices(&word).any(bounded)
    }

    /// Whether any of `words` occurs, in any case, as a part of the text.
    pub fn mention(&self, words: &[&str]) -> bool {
        let text = self.text.to_lowercase();
        words.iter().any(|word| text.contains(word))
    }
}

/// Whether `word` is one of `known`, in any case.
fn is_one_of(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether a comment line is a directive that somebody switched off, not prose.
fn is_directive(line: &str) -> bool {
    if line.ends_with([';', '{', '}']) {
        return true;
    }
    let mut words = line.split_whitespace();
    match words.next() {
        Some("server") => {
            let address = |word: &str| word.contains(':') || word.contains('.');
            words.nth(1).is_some_and(address)
        }
        Some(word) => KEYWORDS.contains(&word),
        None => false,
    }
}

/// `OPS-412`, `#412` or `JIRA-7`: letters, a hyphen and digits.
fn is_ticket(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.split_once('-').is_some_and(|(project, number)| {
        project.len() >= 2
            && project
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            && project.starts_with(|c: char| c.is_ascii_uppercase())
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_reason_is_three_words_or_a_ticket() {
        let today = date(2026, 11, 22);
        assert!(Notes::new("# sized for three shares").state_reason(today));
        assert!(Notes::new("# OPS-31").state_reason(today));
        assert!(!Notes::new("# auth servers").state_reason(today));
        assert!(!Notes::new("# drained for disk swap until=2026-11-21").state_reason(today));
        assert!(Notes::new("# drained for disk swap until=2026-11-22").state_reason(today));
    }

    #[test]
    fn a_directive_that_is_commented_out_is_no_reason() {
        let today = date(2026, 11, 22);
        assert!(!Notes::new("# server d 10.0.0.4:80 weight 10 check").state_reason(today));
        assert!(!Notes::new("# server 10.0.0.4:80 weight=10 down;").state_reason(today));
        assert!(!Notes::new("# http-request set-header X-Pool a").state_reason(today));
        assert!(!Notes::new("# proxy_set_header Host $host;").state_reason(today));
        assert!(Notes::new("# server c is the big box").state_reason(today));
    }

    #[test]
    fn a_suppression_is_no_reason() {
        let today = date(2026, 11, 22);
        let notes = Notes::new("# lbaudit: ignore[unbalanced-weights] until the canary ends");
        assert!(!notes.state_reason(today));
        assert!(!notes.mention(&["canary"]));
    }

    #[test]
    fn a_heading_is_told_from_a_reason() {
        assert!(Notes::new("# the application servers of rack one").are_heading());
        assert!(!Notes::new("# the application servers of rack one OPS-7").are_heading());
        assert!(!Notes::new("# the two smaller machines of rack one").are_heading());
        assert!(!Notes::new("# waits for its certificate").are_heading());
    }

    #[test]
    fn words_are_found_whole() {
        let notes = Notes::new("# app10 is bigger");
        assert!(notes.mention_word("APP10"));
        assert!(!notes.mention_word("app1"));
    }

    #[test]
    fn annotations_are_read() {
        assert_eq!(
            Notes::new("# lbaudit: peak=600").annotation("peak"),
            Some("600")
        );
        assert_eq!(Notes::new("# peak=600").annotation("peak"), None);
    }
}
