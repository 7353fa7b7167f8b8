//! HAProxy converters that hash keys commonly use (manual 7.3.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Unsupported;
use super::expression::{Value, Yields};
use crate::model::HashFunction;
use crate::predict::hash::{avalanche, of_key, xxh32};

/// One step behind a fetch.
#[derive(Clone, Debug)]
pub(super) enum Converter {
    Lower,
    Upper,
    /// The n-th part, empty parts counted or not, and how many parts.
    Part {
        index: i64,
        delimiters: String,
        count: usize,
        empty: bool,
    },
    Bytes {
        offset: usize,
        length: Option<usize>,
    },
    Length,
    Hash(HashFunction, bool),
    Xxh32(u32),
    Arithmetic(Operation, i64),
    Hex,
    Base64,
    UrlDecode,
    IpMask(u32, Option<u32>),
}

/// Arithmetic on 64 bits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Neg,
}

/// Arguments of a converter; a mistake refuses it by name.
struct Arguments<'a> {
    name: &'a str,
    words: &'a [&'a str],
}

impl Arguments<'_> {
    fn fault(&self) -> Unsupported {
        Unsupported::Element(self.name.into())
    }

    fn number<T: std::str::FromStr>(&self, index: usize) -> Result<T, Unsupported> {
        let word = self.words.get(index).ok_or_else(|| self.fault())?;
        word.trim().parse().map_err(|_| self.fault())
    }

    fn optional<T: std::str::FromStr>(&self, index: usize) -> Result<Option<T>, Unsupported> {
        if self.words.get(index).is_none_or(|word| word.is_empty()) {
            return Ok(None);
        }
        self.number(index).map(Some)
    }
}

impl Converter {
    pub(super) fn new(name: &str, words: &[&str]) -> Result<Self, Unsupported> {
        let arguments = Arguments { name, words };
        let mixed = || Ok(arguments.optional::<u32>(0)?.unwrap_or(0) != 0);
        Ok(match name {
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "field" | "word" => Self::part(&arguments)?,
            "bytes" => Self::Bytes {
                offset: arguments.number(0)?,
                length: arguments.optional(1)?,
            },
            "length" => Self::Length,
            "sdbm" => Self::Hash(HashFunction::Sdbm, mixed()?),
            "djb2" => Self::Hash(HashFunction::Djb2, mixed()?),
            "wt6" => Self::Hash(HashFunction::Wt6, mixed()?),
            "crc32" => Self::Hash(HashFunction::Crc32, mixed()?),
            "xxh32" => Self::Xxh32(arguments.optional(0)?.unwrap_or(0)),
            "hex" => Self::Hex,
            "base64" => Self::Base64,
            "url_dec" => Self::UrlDecode,
            "ipmask" => Self::IpMask(mask_bits(&arguments)?, arguments.optional(1)?),
            _ => Self::arithmetic(&arguments)?,
        })
    }

    fn part(arguments: &Arguments<'_>) -> Result<Self, Unsupported> {
        let delimiters = arguments.words.get(1).ok_or_else(|| arguments.fault())?;
        let index: i64 = arguments.number(0)?;
        if index == 0 || delimiters.is_empty() || delimiters.contains(['"', '\'', '\\']) {
            return Err(arguments.fault());
        }
        Ok(Self::Part {
            index,
            delimiters: (*delimiters).into(),
            // 0 is everything up to the end.
            count: match arguments.optional(2)? {
                Some(0) => usize::MAX,
                Some(count) => count,
                None => 1,
            },
            empty: arguments.name == "field",
        })
    }

    fn arithmetic(arguments: &Arguments<'_>) -> Result<Self, Unsupported> {
        let operation = match arguments.name {
            "add" => Operation::Add,
            "sub" => Operation::Sub,
            "mul" => Operation::Mul,
            "div" => Operation::Div,
            "mod" => Operation::Mod,
            "and" => Operation::And,
            "or" => Operation::Or,
            "xor" => Operation::Xor,
            "neg" => return Ok(Self::Arithmetic(Operation::Neg, 0)),
            _ => return Err(arguments.fault()),
        };
        Ok(Self::Arithmetic(operation, arguments.number(0)?))
    }

    pub(super) fn yields(&self) -> Yields {
        match self {
            Self::Length | Self::Hash(..) | Self::Xxh32(_) | Self::Arithmetic(..) => Yields::Number,
            Self::IpMask(..) => Yields::Address,
            Self::Lower
            | Self::Upper
            | Self::Part { .. }
            | Self::Bytes { .. }
            | Self::Hex
            | Self::Base64
            | Self::UrlDecode => Yields::Bytes,
        }
    }

    /// Whether it changes nothing when it is applied a second time.
    pub(super) fn is_idempotent(&self) -> bool {
        matches!(self, Self::Lower | Self::Upper | Self::IpMask(..))
    }

    /// The next value; `None` where the real converter fails, which leaves the request without a key.
    pub(super) fn apply(&self, value: Value) -> Option<Value> {
        Some(match self {
            Self::Lower => Value::Bytes(value.text().to_ascii_lowercase()),
            Self::Upper => Value::Bytes(value.text().to_ascii_uppercase()),
            Self::Part {
                index,
                delimiters,
                count,
                empty,
            } => Value::Bytes(part(
                &value.text(),
                *index,
                delimiters.as_bytes(),
                *count,
                *empty,
            )?),
            Self::Bytes { offset, length } => {
                let bytes = value.hashed();
                let rest = bytes.get(*offset..).unwrap_or_default();
                let end = length.map_or(rest.len(), |length| length.min(rest.len()));
                Value::Bytes(rest.get(..end).unwrap_or_default().to_vec())
            }
            Self::Length => Value::Number(i64::try_from(value.text().len()).ok()?),
            Self::Hash(function, mixed) => {
                let hash = of_key(*function, &value.hashed());
                Value::Number(i64::from(if *mixed { avalanche(hash) } else { hash }))
            }
            Self::Xxh32(seed) => Value::Number(i64::from(xxh32(&value.hashed(), *seed))),
            Self::Arithmetic(operation, other) => {
                Value::Number(operation.compute(value.number()?, *other))
            }
            Self::Hex => Value::Bytes(hex(&value.hashed())),
            Self::Base64 => Value::Bytes(base64(&value.hashed())),
            Self::UrlDecode => Value::Bytes(url_decode(&value.text())),
            Self::IpMask(v4, v6) => Value::Address(mask(value, *v4, *v6)?),
        })
    }
}

impl Operation {
    /// `sample_conv_arith_*`: saturating, and a division by zero gives the largest number.
    fn compute(self, value: i64, other: i64) -> i64 {
        match self {
            Self::Add => value.saturating_add(other),
            Self::Sub => value.saturating_sub(other),
            Self::Mul => value.saturating_mul(other),
            Self::Div => value.checked_div(other).unwrap_or(i64::MAX),
            Self::Mod => value.checked_rem(other).unwrap_or(i64::MAX),
            Self::And => value & other,
            Self::Or => value | other,
            Self::Xor => value ^ other,
            Self::Neg => value.wrapping_neg(),
        }
    }
}

/// `field` and `word`: parts by delimiters, counted from either end. More parts than there are reach to
/// the end of the text; a `word` that is not there is empty, a `field` fails.
fn part(text: &[u8], index: i64, delimiters: &[u8], count: usize, empty: bool) -> Option<Vec<u8>> {
    let spans = spans(text, delimiters, empty);
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let more = count.saturating_sub(1);
    let found = if index > 0 {
        let first = distance - 1;
        spans.get(first).map(|(from, _)| {
            let last = spans.get(first.saturating_add(more));
            (*from, last.map_or(text.len(), |(_, to)| *to))
        })
    } else {
        let last = spans.len().checked_sub(distance);
        last.and_then(|last| {
            let first = last.checked_sub(more).and_then(|first| spans.get(first));
            Some((first.map_or(0, |(from, _)| *from), spans.get(last)?.1))
        })
    };
    match found {
        Some((from, to)) => text.get(from..to).map(<[u8]>::to_vec),
        None => (!empty).then(Vec::new),
    }
}

/// Where the parts of a text begin and end.
fn spans(text: &[u8], delimiters: &[u8], empty: bool) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for (at, byte) in text.iter().enumerate().chain([(text.len(), &0)]) {
        if at == text.len() || delimiters.contains(byte) {
            if empty || at > start {
                spans.push((start, at));
            }
            start = at + 1;
        }
    }
    spans
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |value: u8| {
        if value < 10 {
            b'0' + value
        } else {
            b'A' + value - 10
        }
    };
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    let letter = |value: u32| match u8::try_from(value & 63).unwrap_or(0) {
        value @ 0..=25 => b'A' + value,
        value @ 26..=51 => b'a' + value - 26,
        value @ 52..=61 => b'0' + value - 52,
        62 => b'+',
        _ => b'/',
    };
    let groups = bytes.chunks(3).flat_map(|chunk| {
        let padded = chunk.iter().copied().chain([0, 0]).take(3);
        let word = padded.fold(0u32, |word, byte| (word << 8) | u32::from(byte));
        let letters = [word >> 18, word >> 12, word >> 6, word].map(letter);
        let kept = chunk.len() + 1;
        let padding = std::iter::repeat_n(b'=', 4 - kept);
        letters.into_iter().take(kept).chain(padding)
    });
    groups.collect()
}

/// `url_decode` outside a form: `%XX` only, and `+` behind a question mark.
pub(super) fn url_decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut in_query = false;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let pair = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (byte, value) {
            (b'%', Some(value)) => {
                decoded.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) if in_query => decoded.push(b' '),
            (byte, _) => {
                in_query |= *byte == b'?';
                decoded.push(*byte);
            }
        }
    }
    decoded
}

/// The first argument of `ipmask`: bits or a dotted mask.
fn mask_bits(arguments: &Arguments<'_>) -> Result<u32, Unsupported> {
    let word = arguments.words.first().ok_or_else(|| arguments.fault())?;
    match word.parse::<Ipv4Addr>() {
        Ok(mask) if mask.to_bits().leading_ones() == mask.to_bits().count_ones() => {
            Ok(mask.to_bits().count_ones())
        }
        Ok(_) => Err(arguments.fault()),
        Err(_) => arguments.number(0),
    }
}

fn mask(value: Value, v4: u32, v6: Option<u32>) -> Option<IpAddr> {
    let address = match value {
        Value::Address(address) => address,
        Value::Bytes(bytes) => std::str::from_utf8(&bytes).ok()?.parse().ok()?,
        Value::Number(number) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).ok()?)),
    };
    Some(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(v4)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(128u32.saturating_sub(v6?))
                .unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    })
}
