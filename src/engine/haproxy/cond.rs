//! Conditions of `.if` and `.elif` (manual 2.4, `src/cfgcond.c`).
//!
//! In: the words behind the directive, joined by spaces. Out: true, false, undecidable (it depends on
//! the build, on a library or on an unknown variable), or what cannot be parsed.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1, hex_digit1, one_of};
use nom::combinator::{map, map_opt, opt, recognize, rest_len, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use super::env::{Env, Value};
use crate::model::Version;

/// `MAX_CFG_RECURSION` is 1024; nobody nests this deep, and the stack is ours.
const MAX_DEPTH: u32 = 100;

/// A condition's value; `None` is undecidable.
type Truth = Option<bool>;

/// What a condition may depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'c> {
    pub(super) env: &'c Env<'c>,
    pub(super) version: Version,
    /// The text holds variables of unknown value, as written.
    pub(super) opaque: bool,
}

/// The value of `text`, or the offset in it of what is not understood.
pub(crate) fn evaluate(text: &str, context: Context<'_>) -> Result<Truth, usize> {
    if text.is_empty() {
        return Ok(Some(false));
    }
    match expression(text, context, MAX_DEPTH) {
        Ok((rest, value)) if rest.trim_start().is_empty() => Ok(value),
        Ok((rest, _)) => Err(text.len() - rest.trim_start().len()),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
            Err(text.len() - fault.input.len())
        }
        Err(nom::Err::Incomplete(_)) => Err(text.len()),
    }
}

fn blank(input: &str) -> IResult<&str, &str> {
    take_while(|c| c == ' ' || c == '\t').parse(input)
}

/// Terms joined by `&&`, those joined by `||`.
fn expression<'i>(input: &'i str, context: Context<'_>, depth: u32) -> IResult<&'i str, Truth> {
    let (mut input, mut value) = conjunction(input, context, depth)?;
    while let (rest, Some(_)) = opt(delimited(blank, tag("||"), blank)).parse(input)? {
        let (rest, right) = conjunction(rest, context, depth)?;
        value = match (value, right) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
        input = rest;
    }
    Ok((input, value))
}

fn conjunction<'i>(input: &'i str, context: Context<'_>, depth: u32) -> IResult<&'i str, Truth> {
    let (mut input, mut value) = term(input, context, depth)?;
    while let (rest, Some(_)) = opt(delimited(blank, tag("&&"), blank)).parse(input)? {
        let (rest, right) = term(rest, context, depth)?;
        value = match (value, right) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        input = rest;
    }
    Ok((input, value))
}

fn term<'i>(input: &'i str, context: Context<'_>, depth: u32) -> IResult<&'i str, Truth> {
    let (input, negations) =
        preceded(blank, many0_count(terminated(char('!'), blank))).parse(input)?;
    if depth == 0 {
        let fault = nom::error::Error::new(input, nom::error::ErrorKind::TooLarge);
        return Err(nom::Err::Failure(fault));
    }
    let nested = |input| expression(input, context, depth - 1);
    let (rest, value) = alt((
        map(number, |value| Some(value != 0)),
        delimited((char('('), blank), nested, (blank, char(')'), blank)),
        map(predicate, |(name, arguments)| {
            judge(name, arguments, context)
        }),
        map(verify(unknown, |_: &str| context.opaque), |_| None),
    ))
    .parse(input)?;
    let value = value.map(|value| value ^ (negations % 2 == 1));
    Ok((rest, value))
}

/// What `strtol` with base 0 takes; only whether it is zero counts.
fn number(input: &str) -> IResult<&str, u64> {
    let saturating = |digits: &str, radix| u64::from_str_radix(digits, radix).unwrap_or(u64::MAX);
    let magnitude = alt((
        map(preceded(tag("0x"), hex_digit1), |digits| {
            saturating(digits, 16)
        }),
        map(digit1, |digits| saturating(digits, 10)),
    ));
    preceded(opt(one_of("+-")), magnitude).parse(input)
}

/// A variable of unknown value standing alone.
fn unknown(input: &str) -> IResult<&str, &str> {
    recognize((
        char('$'),
        take_while1(|c: char| !c.is_whitespace() && c != ')'),
    ))
    .parse(input)
}

/// `NAME(ARGUMENT,…)`; predicates of newer versions have the same form.
fn predicate(input: &str) -> IResult<&str, (&str, &str)> {
    let name = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let arguments = delimited(char('('), arguments, char(')'));
    (name, arguments).parse(input)
}

/// Everything up to the closing parenthesis that is not quoted or escaped (`make_arg_list`).
fn arguments(input: &str) -> IResult<&str, &str> {
    let end = |input: &str| {
        let (mut quote, mut escaped) = (None, false);
        input.char_indices().find_map(|(at, c)| {
            if std::mem::take(&mut escaped) {
                return None;
            }
            match (quote, c) {
                (None, ')') => return Some(at),
                (None | Some('"'), '\\') => escaped = true,
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                _ => {}
            }
            None
        })
    };
    let (_, length) = map_opt(rest_of, end).parse(input)?;
    nom::bytes::complete::take(input[..length].chars().count()).parse(input)
}

fn rest_of(input: &str) -> IResult<&str, &str> {
    let (_, length) = rest_len(input)?;
    nom::bytes::complete::take(input[..length].chars().count()).parse(input)
}

fn judge(name: &str, arguments: &str, context: Context<'_>) -> Truth {
    if context.opaque && arguments.contains('$') {
        return None;
    }
    let mut list = split_arguments(arguments).into_iter();
    let first = list.next().unwrap_or_default();
    let second = list.next().unwrap_or_default();
    match name {
        "defined" => match context.env.get(&first) {
            Value::Known(_) | Value::Exists => Some(true),
            Value::Unset => Some(false),
            Value::Unknown => None,
        },
        "streq" => Some(first == second),
        "strneq" => Some(first != second),
        "strstr" => Some(first.contains(&second)),
        "version_atleast" => at_least(&first, context.version),
        "version_before" => at_least(&first, context.version).map(|it| !it),
        _ => None,
    }
}

/// Arguments without their quotes and escapes.
fn split_arguments(text: &str) -> Vec<String> {
    let mut list = vec![String::new()];
    let (mut quote, mut escaped) = (None, false);
    for c in text.chars() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => {
                escaped = true;
                continue;
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                continue;
            }
            (Some(open), _) if open == c => {
                quote = None;
                continue;
            }
            (None, ',') => {
                list.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = list.last_mut() {
            last.push(c);
        }
    }
    list
}

/// Whether a release of the audited branch is at least `wanted`. Only branches are known: within the
/// same branch, a development version is older and a patch release cannot be told.
fn at_least(wanted: &str, version: Version) -> Truth {
    let number = |text: &str| -> Option<u16> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        text.get(..digits)?.parse().ok()
    };
    let mut parts = wanted.split('.');
    let major = number(parts.next()?)?;
    let minor_text = parts.next().unwrap_or("0");
    let branch = (major, number(minor_text)?);
    match (version.major, version.minor).cmp(&branch) {
        std::cmp::Ordering::Greater => Some(true),
        std::cmp::Ordering::Less => Some(false),
        std::cmp::Ordering::Equal => match parts.next().map(number) {
            None | Some(Some(0)) => Some(true),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Environment;

    fn value_of(text: &str, opaque: bool) -> Result<Truth, usize> {
        let mut given = Environment::default();
        given.values.insert("HOME".into(), "x".into());
        let env = Env::new(&given);
        let version = Version::HAPROXY_DEFAULT;
        evaluate(
            text,
            Context {
                env: &env,
                version,
                opaque,
            },
        )
    }

    #[test]
    fn conditions_are_read_as_haproxy_reads_them() {
        let yes = Ok(Some(true));
        let no = Ok(Some(false));
        for (text, wanted) in [
            ("", no),
            ("0", no),
            ("0x0", no),
            ("7", yes),
            ("!7", no),
            ("! !7", yes),
            ("-1", yes),
            ("1 && 0 || 1", yes),
            ("0 || 1 && 0", no),
            ("(0 || 1) && !(0)", yes),
            ("defined(HOME)", yes),
            ("defined(NOPE)", Ok(None)),
            ("streq(a,a) && strneq(\"a,b\",'a')", yes),
            ("streq(a\\,b,'a,b')", yes),
            ("strstr(abc,b)", yes),
            ("version_atleast(2.4-dev19)", yes),
            ("version_atleast(2.6)", yes),
            ("version_atleast(2.6.3)", Ok(None)),
            ("version_before(3.0)", yes),
            ("feature(OPENSSL)", Ok(None)),
            ("feature(OPENSSL) && 0", no),
            ("ssllib_name_startswith(AWS-LC) || 1", yes),
            ("foo", Err(0)),
            ("1 foo", Err(2)),
            ("(1", Err(0)),
        ] {
            assert_eq!(value_of(text, false), wanted, "{text}");
        }
    }

    #[test]
    fn unknown_variables_are_undecidable() {
        assert_eq!(value_of("streq(${A},yes)", true), Ok(None));
        assert_eq!(value_of("${A}", true), Ok(None));
        assert_eq!(value_of("streq(a,b) && $A", true), Ok(Some(false)));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "(".repeat(200_000);
        assert!(value_of(&deep, false).is_err());
        let long = "!".repeat(200_000) + "1";
        assert_eq!(value_of(&long, false), Ok(Some(true)));
    }
}
