//! Directives that nginx does not know, that stand where they may not, twice, or with too few or many arguments.
//!
//! In: the forest. Out: `refused-at-load` findings. What is not in the table of directives may be of a newer
//! version or of a module: it is left alone, and so is everything in its block.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Group;
use super::cursor::{Block, Children, Item};
use crate::engine::nginx::directives::{self, Form, Id, Kind, Place};
use crate::engine::nginx::fault::refused;
use crate::engine::nginx::include::Forest;
use crate::engine::nginx::name::Name;
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
        once: Vec::new(),
    };
    let mut open = Vec::new();
    for root in (0..forest.roots).rev() {
        let place = match fragment {
            None => Some(Place::Main),
            Some(_) => None,
        };
        open.push(Open::new(forest, Block::file(forest, root), place, 0));
    }
    while let Some(block) = open.last_mut() {
        let Some(item) = block.children.next() else {
            checker.once.truncate(block.once_from);
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
            let once_from = checker.once.len();
            open.push(Open::new(forest, item.block(), Some(place), once_from));
        }
    }
    checker.findings
}

/// A block whose directives are being read.
struct Open<'t> {
    place: Option<Place>,
    children: Children<'t>,
    /// Where its own entries of [`Checker::once`] begin.
    once_from: usize,
    /// The locations that were seen, and where each stands first.
    locations: BTreeMap<Location<'t>, Span>,
}

/// What must be different in the locations of one block.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Location<'t> {
    /// For exactly this path.
    Exact(Cow<'t, [u8]>),
    /// For what begins with this path.
    Prefix(Cow<'t, [u8]>),
}

impl<'t> Open<'t> {
    fn new(forest: &'t Forest, block: Block, place: Option<Place>, once_from: usize) -> Self {
        Self {
            place,
            children: Children::of(forest, block),
            once_from,
            locations: BTreeMap::new(),
        }
    }
}

struct Checker {
    findings: Vec<Finding>,
    slips_left: usize,
    /// The directives of the open blocks that may stand once in theirs, the innermost block last.
    once: Vec<(Id, Span)>,
}

impl Checker {
    /// Checks one directive; the place that its block makes.
    fn directive<'t>(&mut self, item: Item<'t>, open: &mut Open<'t>) -> Option<Place> {
        let (directive, place) = (item.directive, open.place?);
        let known = directive.known();
        if matches!(known.name, Name::Include | Name::LoadModule) {
            return None;
        }
        if known.forms.is_empty() {
            self.not_recorded(directive);
            return None;
        }
        let Some(&form) = known.forms.iter().find(|form| form.fits(place)) else {
            if !came_later(known.text, place) {
                self.findings
                    .push(misplaced(directive, place, &known.forms));
            }
            return None;
        };
        if form.block != directive.is_block() {
            self.findings.push(wrong_block(directive, form, place));
            return None;
        }
        self.arguments(directive, form, known.name);
        if known.name == Name::Location {
            self.location(directive, open);
        } else if form.once {
            self.once(directive, open.once_from);
        }
        if form.block {
            place.inside(known.name)
        } else {
            None
        }
    }

    /// Checks a directive that the table does not have.
    fn not_recorded(&mut self, directive: Directive<'_>) {
        let name = directive.name();
        let text = std::str::from_utf8(&name).ok();
        match text.filter(|name| is_no_name(name)) {
            Some(name) => self.findings.push(no_name(directive, name)),
            None => self.slip(directive, &name),
        }
    }

    fn arguments(&mut self, directive: Directive<'_>, form: Form, name: Name) {
        let keepalive = name == Name::Keepalive;
        let count = directive.arguments();
        // A second argument of `keepalive` came with 1.29.7.
        let too_many = !keepalive && form.most.is_some_and(|most| count > most);
        if count < form.least || too_many {
            self.findings.push(wrong_count(directive, form));
        }
        // Newer versions take variables where this one wants a number.
        let kind = if keepalive { Kind::Number } else { form.value };
        if count == 1 && kind != Kind::Any {
            let text = directive.string(1);
            if !text.contains('$') && !kind.takes(&text) {
                self.findings.push(wrong_value(directive, kind));
            }
        }
    }

    /// A directive of a fragment itself, which may also be an entry of a `map` or `geo`; the place that its block makes.
    fn stray(&mut self, item: Item<'_>, group: Option<Group>) -> Option<Place> {
        let known = item.directive.known();
        if known.forms.is_empty() {
            self.slip(item.directive, &item.directive.name());
            return None;
        }
        let outer = match (known.name, group) {
            (Name::Location | Name::If, _) => Place::Server,
            (_, Some(Group::Stream)) => Place::Stream,
            _ => Place::Http,
        };
        outer
            .inside(known.name)
            .filter(|_| item.directive.is_block())
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

    /// A directive that its block may have once; `from` is the first entry of the block.
    fn once(&mut self, directive: Directive<'_>, from: usize) {
        let own = self.once.get(from..).unwrap_or_default();
        match own.iter().find(|(id, _)| *id == directive.id()) {
            None => self.once.push((directive.id(), directive.head())),
            Some(&(_, first)) => {
                let message = format!("`{}` stands twice in this block", directive.text(0));
                self.findings.push(repeated(directive, &message, first));
            }
        }
    }

    /// A location, which must not be for the same path as another one of the block.
    fn location<'t>(&mut self, directive: Directive<'t>, open: &mut Open<'t>) {
        if is_bad_modifier(directive) {
            self.findings.push(bad_modifier(directive));
        }
        let Some(location) = location(directive) else {
            return;
        };
        match open.locations.entry(location) {
            Entry::Vacant(vacant) => _ = vacant.insert(directive.head()),
            Entry::Occupied(first) => {
                let (Location::Exact(path) | Location::Prefix(path)) = first.key();
                let message = format!(
                    "two locations of this block are for `{}`",
                    String::from_utf8_lossy(path)
                );
                self.findings
                    .push(repeated(directive, &message, *first.get()));
            }
        }
    }
}

fn repeated(directive: Directive<'_>, message: &str, first: Span) -> Finding {
    let message = format!("{message}: nginx refuses to start");
    let finding = refused(directive.head(), message, "remove one of the two");
    finding.related("the first one", first)
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

fn wrong_value(directive: Directive<'_>, kind: Kind) -> Finding {
    let message = format!(
        "`{}` takes {}, not `{}`: nginx refuses to start",
        directive.text(0),
        kind.shown(),
        directive.text(1).escape_debug()
    );
    refused(directive.word_span(1), message, "correct the value")
}

/// What newer versions than the recorded one allow: `server_name` and TLS in `stream` (1.25.5, 1.27.2), a resolver
/// in `upstream` (1.27.3).
fn came_later(name: &str, place: Place) -> bool {
    let in_upstream = matches!(place, Place::Upstream | Place::StreamUpstream);
    let in_stream = matches!(place, Place::Stream | Place::StreamServer);
    (in_upstream && name.starts_with("resolver"))
        || (in_stream && (name == "server_name" || name.starts_with("ssl_")))
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

fn wrong_count(directive: Directive<'_>, form: Form) -> Finding {
    let count = directive.arguments();
    let taken = match form.most {
        None => format!("{} or more", form.least),
        Some(most) if most == form.least => most.to_string(),
        Some(most) => format!("{} to {most}", form.least),
    };
    let name = directive.text(0);
    let message =
        format!("`{name}` has {count} arguments and takes {taken}: nginx refuses to start");
    let help = "correct the arguments; is a `;` missing, or a blank too many?";
    refused(directive.head(), message, help)
}

/// What must be different in the locations of one block: nothing for regular expressions and named ones
/// (`ngx_http_join_exact_locations`).
fn location(directive: Directive<'_>) -> Option<Location<'_>> {
    let first = directive.bytes(1);
    if directive.arguments() == 2 {
        return match &*first {
            b"=" => Some(Location::Exact(directive.bytes(2))),
            b"^~" => Some(Location::Prefix(directive.bytes(2))),
            _ => None,
        };
    }
    match &*first {
        [b'~' | b'@', ..] => None,
        [b'=', path @ ..] => Some(Location::Exact(path.to_vec().into())),
        [b'^', b'~', path @ ..] => Some(Location::Prefix(path.to_vec().into())),
        _ => Some(Location::Prefix(first)),
    }
}

fn is_bad_modifier(directive: Directive<'_>) -> bool {
    directive.arguments() == 2 && !matches!(&*directive.bytes(1), b"=" | b"^~" | b"~" | b"~*")
}

fn bad_modifier(directive: Directive<'_>) -> Finding {
    let message = format!(
        "`{}` is no modifier of `location`: nginx refuses to start",
        directive.text(1)
    );
    let help = "write one of `=`, `^~`, `~` and `~*`, or the path alone";
    refused(directive.word_span(1), message, help)
}
