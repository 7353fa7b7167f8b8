//! The points of nginx `hash … consistent`: the crc32 of host, a zero byte, port and the point before,
//! the first one behind zeros.
//!
//! In: the name of a peer and how many points it has. Out: the points. Each would have to wait for
//! the one before, byte by byte; but a crc is linear, so the differences of neighbours follow from one
//! of them alone, and tables tell what it adds to a whole block of points.

/// Points that are made at once; 160 is a multiple of it.
const BLOCK: usize = 16;

/// Appends the first points of a name, `count` of them rounded up to whole blocks.
pub(super) fn extend(points: &mut Vec<u32>, name: &str, count: usize) {
    let (mut point, mut step) = (0, first(name));
    for _ in 0..count.div_ceil(BLOCK) {
        let block = behind(point, step);
        points.extend_from_slice(&block);
        [.., point] = block;
        step = through(&LEAP, step);
    }
}

/// The first point of a name: how far it is from the zeros that it is made of.
fn first(name: &str) -> u32 {
    let (host, port) = split(name);
    let mut crc = crc32fast::Hasher::new();
    for part in [host.as_bytes(), &[0], port.as_bytes(), &[0; 4]] {
        crc.update(part);
    }
    crc.finalize()
}

/// Host and port as `ngx_http_upstream_init_chash` splits them: a missing port stays empty.
fn split(name: &str) -> (&str, &str) {
    if let Some((scheme, path)) = name.split_at_checked(5)
        && scheme.eq_ignore_ascii_case("unix:")
    {
        return (path, "");
    }
    match name.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (name, ""),
    }
}

/// The points of the block behind `point`, if the first of them is one `step` from it.
#[allow(
    clippy::indexing_slicing,
    reason = "four bits are an index below 16, and an array has its own length"
)]
fn behind(point: u32, step: u32) -> [u32; BLOCK] {
    let digit = |number: usize| &SUMS[number][(step >> (4 * number) & 15) as usize];
    let sums: [&[u32; BLOCK]; 8] = std::array::from_fn(digit);
    std::array::from_fn(|at| sums.iter().fold(point, |sum, adds| sum ^ adds[at]))
}

/// For each of the eight hexadecimal digits of a step and each value of it: what it adds to each point
/// of the next block.
static SUMS: [[[u32; BLOCK]; 16]; 8] = sums();

#[allow(clippy::indexing_slicing, reason = "checked when the constant is made")]
const fn sums() -> [[[u32; BLOCK]; 16]; 8] {
    let mut sums = [[[0; BLOCK]; 16]; 8];
    let mut at = 0;
    while at < 8 * 16 {
        #[allow(clippy::cast_possible_truncation, reason = "a digit is below 16")]
        let mut step = (at as u32 % 16) << (at / 16 * 4);
        let mut sum = 0;
        let mut next = 0;
        while next < BLOCK {
            sum ^= step;
            sums[at / 16][at % 16][next] = sum;
            step = through(&ONE, step);
            next += 1;
        }
        at += 1;
    }
    sums
}

/// A linear function of 32 bits: for each of the four bytes of its input what each value of it adds.
type Linear = [[u32; 256]; 4];

/// From a step to the next one: what four bytes do to a crc32.
static ONE: Linear = four_bytes();

/// From the first step of a block to that of the next one.
static LEAP: Linear = leap();

#[allow(clippy::indexing_slicing, reason = "checked when the constant is made")]
const fn four_bytes() -> Linear {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut tables = [[0; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "a byte is below 256")]
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 32 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
            if bit % 8 == 0 {
                tables[4 - bit / 8][byte] = crc;
            }
        }
        byte += 1;
    }
    tables
}

#[allow(clippy::indexing_slicing, reason = "checked when the constant is made")]
const fn leap() -> Linear {
    let mut tables = ONE;
    let mut at = 0;
    while at < 4 * 256 {
        let mut done = 1;
        while done < BLOCK {
            tables[at / 256][at % 256] = through(&ONE, tables[at / 256][at % 256]);
            done += 1;
        }
        at += 1;
    }
    tables
}

/// The value of a linear function.
#[allow(clippy::indexing_slicing, reason = "a byte is an index below 256")]
const fn through(function: &Linear, value: u32) -> u32 {
    let [first, second, third, fourth] = value.to_le_bytes();
    function[0][first as usize]
        ^ function[1][second as usize]
        ^ function[2][third as usize]
        ^ function[3][fourth as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_is_the_crc_of_the_name_and_the_point_before() {
        let mut points = Vec::new();
        extend(&mut points, "10.0.0.1:8080", 160 * 125);
        assert_eq!(points.len(), 160 * 125);
        let mut point = 0u32;
        for found in points {
            let more = u32::to_le_bytes(point);
            point = crc32fast::hash(&[b"10.0.0.1\x008080", &more[..]].concat());
            assert_eq!(found, point);
        }
    }

    #[test]
    fn names_split_as_nginx_splits_them() {
        assert_eq!(split("10.0.0.1:8080"), ("10.0.0.1", "8080"));
        assert_eq!(split("10.0.0.1"), ("10.0.0.1", ""));
        assert_eq!(split("[::1]:80"), ("[::1]", "80"));
        assert_eq!(split("[::1]"), ("[::1]", ""));
        assert_eq!(split("UNIX:/run/a:80"), ("/run/a:80", ""));
    }
}
