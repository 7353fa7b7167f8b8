//! Directives that nginx does not know, that stand where they may not, twice, or with too few or many arguments.
//!
//! In: the forest. Out: `refused-at-load` findings. What is not in the table of directives may be of a newer
//! version or of a module: it is left alone, and so is everything in its block.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Group;
use super::cursor::{Block, Children, Item};
use crate::engine::nginx::directives::{self, Form, Kind, Place};
use crate::engine::nginx::fault::refused;
use crate::engine::nginx::include::Forest;
use crate::engine::nginx::tree::Directive;
use crate::finding::Finding;
use crate::source::Span;
use crate::spelling;

/// The most findings of one instance: a file that is no configuration must not become a million of them.
const MAX: usize = 50;
/// The most unknown names of one instance that are compared with the known ones.
const SLIPS: usize = 1_000;
/// What directives of other modules begin with that are almost named like one of nginx's own.
const FOREIGN: [&str; 2] = ["js_", "subs_"];
/// Shorter names are too much alike.
const SHORTEST: usize = 4;

/// Checks all files. The directives of fragments themselves stand at a place that is not known.
pub(super) fn check(forest: &Forest, fragment: Option<Group>) -> Vec<Finding> {
    let mut checker = Checker {
        findings: Vec::new(),
        slips_left: SLIPS,
    };
    let mut open = Vec::new();
    for root in (0..forest.roots).rev() {
        let place = match fragment {
            None => Some(Place::Main),
            Some(_) => None,
        };
        open.push(Open::new(forest, Block::file(forest, root), place));
    }
    while let Some(block) = open.last_mut() {
        let Some(item) = block.children.next() else {
            open.pop();
            continue;
        };
        if checker.findings.len() >= MAX {
            break;
        }
        let inner = match block.place {
            Some(_) => checker.directive(item, block),
            None => checker.stray(item, fragment),
        };
        if let Some(place) = inner {
            open.push(Open::new(forest, item.block(), Some(place)));
        }
    }
    checker.findings
}

/// A block whose directives are being read.
struct Open<'t> {
    place: Option<Place>,
    children: Children<'t>,
    /// What must not be repeated, and where it stands first.
    seen: BTreeMap<Once<'t>, Span>,
}

/// What may stand once in a block.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Once<'t> {
    /// The directive of this name.
    Directive(Cow<'t, [u8]>),
    /// The location for exactly this path.
    Exact(Cow<'t, [u8]>),
    /// The location for what begins with this path.
    Prefix(Cow<'t, [u8]>),
}

impl<'t> Open<'t> {
    fn new(forest: &'t Forest, block: Block, place: Option<Place>) -> Self {
        Self {
            place,
            children: Children::of(forest, block),
            seen: BTreeMap::new(),
        }
    }
}

struct Checker {
    findings: Vec<Finding>,
    slips_left: usize,
}

impl Checker {
    /// Checks one directive; the place that its block makes.
    fn directive<'t>(&mut self, item: Item<'t>, open: &mut Open<'t>) -> Option<Place> {
        let (directive, place) = (item.directive, open.place?);
        let name = directive.name();
        if matches!(&*name, b"include" | b"load_module") {
            return None;
        }
        let forms = directives::forms(&name);
        if forms.is_empty() {
            match std::str::from_utf8(&name)
                .ok()
                .filter(|name| is_no_name(name))
            {
                Some(name) => self.findings.push(no_name(directive, name)),
                None => self.slip(directive, &name),
            }
            return None;
        }
        let Some(form) = forms.iter().find(|form| form.fits(place)) else {
            if !came_later(&name, place) {
                self.findings.push(misplaced(directive, place, forms));
            }
            return None;
        };
        if form.block != directive.is_block() {
            self.findings.push(wrong_block(directive, *form, place));
            return None;
        }
        self.findings.extend(wrong_count(directive, *form));
        self.findings.extend(wrong_value(directive, *form));
        self.findings.extend(bad_modifier(directive));
        self.repeated(directive, *form, open);
        place.inside(&name).filter(|_| form.block)
    }

    /// A directive of a fragment itself, which may also be an entry of a `map` or `geo`; the place that its block makes.
    fn stray(&mut self, item: Item<'_>, group: Option<Group>) -> Option<Place> {
        let name = item.directive.name();
        if directives::forms(&name).is_empty() {
            self.slip(item.directive, &name);
            return None;
        }
        let outer = match (&*name, group) {
            (b"location" | b"if", _) => Place::Server,
            (_, Some(Group::Stream)) => Place::Stream,
            _ => Place::Http,
        };
        outer.inside(&name).filter(|_| item.directive.is_block())
    }

    fn slip(&mut self, directive: Directive<'_>, name: &[u8]) {
        let Ok(name) = std::str::from_utf8(name) else {
            return;
        };
        let foreign = FOREIGN.iter().any(|prefix| name.starts_with(prefix));
        if name.len() < SHORTEST || foreign || self.slips_left == 0 {
            return;
        }
        self.slips_left -= 1;
        let small = name.to_ascii_lowercase();
        let meant = spelling::meant(name, directives::names())
            .or_else(|| directives::names().find(|known| *known == small));
        if let Some(meant) = meant {
            let message = format!(
                "`{name}` is no directive (did you mean `{meant}`): nginx refuses to start"
            );
            let finding = refused(directive.word_span(0), message, format!("write `{meant}`"));
            self.findings.push(finding.label("not a directive"));
        }
    }

    /// A second directive of a kind that a block may have once, or a second location for one path.
    fn repeated<'t>(&mut self, directive: Directive<'t>, form: Form, open: &mut Open<'t>) {
        let once = if directive.is(b"location") {
            location(directive)
        } else {
            form.once.then(|| Once::Directive(directive.name()))
        };
        let Some(once) = once else {
            return;
        };
        let head = directive.head();
        match open.seen.entry(once) {
            Entry::Vacant(vacant) => {
                vacant.insert(head);
            }
            Entry::Occupied(first) => {
                let name = directive.text(0);
                let message = match first.key() {
                    Once::Directive(_) => format!("`{name}` stands twice in this block"),
                    Once::Exact(path) | Once::Prefix(path) => format!(
                        "two locations of this block are for `{}`",
                        String::from_utf8_lossy(path)
                    ),
                };
                let message = format!("{message}: nginx refuses to start");
                let finding = refused(head, message, "remove one of the two");
                self.findings
                    .push(finding.related("the first one", *first.get()));
            }
        }
    }
}

/// Whether no module of any version has a directive of this name: they are made of letters, digits and `_`. A
/// variable may be filled in by another program before nginx reads the file.
fn is_no_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let number = name.bytes().all(|byte| byte.is_ascii_digit());
    !name.contains('$') && (number || !name.bytes().all(allowed))
}

fn no_name(directive: Directive<'_>, name: &str) -> Finding {
    let message = format!(
        "`{}` is no directive: every nginx version refuses to start",
        name.escape_debug()
    );
    let help = "write the directive that this belongs to, or remove it";
    refused(directive.word_span(0), message, help).label("not a directive")
}

fn wrong_value(directive: Directive<'_>, form: Form) -> Option<Finding> {
    if directive.arguments() != 1 {
        return None;
    }
    let text = directive.text(1);
    // Newer versions take variables where this one wants a number.
    let kind = if directive.is(b"keepalive") {
        Kind::Number
    } else {
        form.value
    };
    if text.contains('$') || kind.takes(&text) {
        return None;
    }
    let message = format!(
        "`{}` takes {}, not `{}`: nginx refuses to start",
        directive.text(0),
        kind.shown(),
        text.escape_debug()
    );
    Some(refused(
        directive.word_span(1),
        message,
        "correct the value",
    ))
}

/// What newer versions than the recorded one allow: `server_name` and TLS in `stream` (1.25.5, 1.27.2), a resolver
/// in `upstream` (1.27.3).
fn came_later(name: &[u8], place: Place) -> bool {
    let in_upstream = matches!(place, Place::Upstream | Place::StreamUpstream);
    let in_stream = matches!(place, Place::Stream | Place::StreamServer);
    (in_upstream && name.starts_with(b"resolver"))
        || (in_stream && (name == b"server_name" || name.starts_with(b"ssl_")))
}

fn misplaced(directive: Directive<'_>, place: Place, forms: &[Form]) -> Finding {
    let name = directive.text(0);
    let message = format!(
        "`{name}` may not stand in {}: nginx refuses to start",
        place.shown()
    );
    let allowed: Vec<&str> = Place::all()
        .filter(|place| forms.iter().any(|form| form.fits(*place)))
        .map(Place::shown)
        .collect();
    let help = format!("it belongs into {}", allowed.join(", "));
    refused(directive.word_span(0), message, help)
}

fn wrong_block(directive: Directive<'_>, form: Form, place: Place) -> Finding {
    let name = directive.text(0);
    let (fault, help) = if form.block {
        let fault = format!("`{name}` needs a block in {}", place.shown());
        (
            fault,
            "open a block with `{`, or move the line to where it belongs",
        )
    } else {
        (
            format!("`{name}` takes no block"),
            "end the directive with `;`",
        )
    };
    let message = format!("{fault}: nginx refuses to start");
    refused(directive.head(), message, help)
}

fn wrong_count(directive: Directive<'_>, form: Form) -> Option<Finding> {
    // A second argument came with 1.29.7.
    let most = form.most.filter(|_| !directive.is(b"keepalive"));
    let count = directive.arguments();
    if count >= form.least && most.is_none_or(|most| count <= most) {
        return None;
    }
    let taken = match form.most {
        None => format!("{} or more", form.least),
        Some(most) if most == form.least => most.to_string(),
        Some(most) => format!("{} to {most}", form.least),
    };
    let name = directive.text(0);
    let message =
        format!("`{name}` has {count} arguments and takes {taken}: nginx refuses to start");
    let help = "correct the arguments; is a `;` missing, or a blank too many?";
    Some(refused(directive.head(), message, help))
}

/// What must be different in the locations of one block: nothing for regular expressions and named ones
/// (`ngx_http_join_exact_locations`).
fn location(directive: Directive<'_>) -> Option<Once<'_>> {
    let first = directive.bytes(1);
    if directive.arguments() == 2 {
        return match &*first {
            b"=" => Some(Once::Exact(directive.bytes(2))),
            b"^~" => Some(Once::Prefix(directive.bytes(2))),
            _ => None,
        };
    }
    match &*first {
        [b'~' | b'@', ..] => None,
        [b'=', path @ ..] => Some(Once::Exact(path.to_vec().into())),
        [b'^', b'~', path @ ..] => Some(Once::Prefix(path.to_vec().into())),
        _ => Some(Once::Prefix(first)),
    }
}

fn bad_modifier(directive: Directive<'_>) -> Option<Finding> {
    let is_modifier = matches!(&*directive.bytes(1), b"=" | b"^~" | b"~" | b"~*");
    if is_modifier || directive.arguments() != 2 || !directive.is(b"location") {
        return None;
    }
    let message = format!(
        "`{}` is no modifier of `location`: nginx refuses to start",
        directive.text(1)
    );
    let help = "write one of `=`, `^~`, `~` and `~*`, or the path alone";
    Some(refused(directive.word_span(1), message, help))
}
