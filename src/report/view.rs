//! A finding with its places looked up and its texts free of secrets, for every format.

use std::borrow::Cow;

use super::locate::{Locator, Place};
use super::mask::{mask_message, mask_text};
use crate::finding::Finding;
use crate::model::Text;

/// What formats print of a finding. Control characters are still in it: each format escapes them in
/// its own way.
pub(crate) struct View<'a> {
    /// The finding itself, for what needs no masking.
    pub(crate) finding: &'a Finding,
    /// Where it is.
    pub(crate) place: Place,
    /// Its message.
    pub(crate) message: Cow<'a, str>,
    /// Its help.
    pub(crate) help: Cow<'a, str>,
    /// Text beside the primary mark.
    pub(crate) label: Cow<'a, str>,
    /// The other places with their messages.
    pub(crate) related: Vec<(Place, Cow<'a, str>)>,
}

impl<'a> View<'a> {
    /// The view of `finding`.
    pub(crate) fn new(finding: &'a Finding, locator: &mut Locator<'_>) -> Self {
        let place = locator.place(finding.span);
        let related: Vec<(Place, &str)> = (finding.related.iter())
            .map(|related| (locator.place(related.span), &*related.message))
            .collect();
        let engine = finding.engine;
        let mut known: Vec<String> = Vec::new();
        for place in std::iter::once(&place).chain(related.iter().map(|(place, _)| place)) {
            known.extend(locator.line(place, engine).secrets.iter().cloned());
        }
        let safe = |text: &'a str| mask_message(text, &known, engine);
        Self {
            finding,
            message: safe(&finding.message),
            help: safe(&finding.help),
            label: safe(&finding.label),
            related: (related.into_iter())
                .map(|(place, message)| (place, safe(message)))
                .collect(),
            place,
        }
    }

    /// A name of the subject.
    pub(crate) fn name<'b>(&self, name: Option<&'b Text>) -> Option<Cow<'b, str>> {
        name.map(|name| mask_text(name, self.finding.engine))
    }
}
