//! The hash functions of both engines: bytes in, 32 bits out.
//!
//! HAProxy: `gen_hash` in `backend.c`, `hash.c`; nginx: `ngx_crc32_long`.

use crate::model::HashFunction;

/// The hash of a key under HAProxy's `hash-type`, before any avalanche.
pub(crate) fn of_key(function: HashFunction, key: &[u8]) -> u32 {
    match function {
        HashFunction::Sdbm => sdbm(key),
        HashFunction::Djb2 => djb2(key),
        HashFunction::Wt6 => wt6(key),
        HashFunction::Crc32 => crc32fast::hash(key),
        HashFunction::None => decimal(key),
    }
}

/// `hash_sdbm`.
pub(crate) fn sdbm(key: &[u8]) -> u32 {
    key.iter().fold(0u32, |hash, byte| {
        u32::from(*byte)
            .wrapping_add(hash << 6)
            .wrapping_add(hash << 16)
            .wrapping_sub(hash)
    })
}

/// `hash_djb2`.
pub(crate) fn djb2(key: &[u8]) -> u32 {
    key.iter().fold(5381u32, |hash, byte| {
        hash.wrapping_mul(33).wrapping_add(u32::from(*byte))
    })
}

/// `hash_wt6`: two words that swap places under rotations that they choose themselves.
pub(crate) fn wt6(key: &[u8]) -> u32 {
    let (mut left, mut right) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut step_right, mut step_left) = (6u32, 18u32);
    for byte in key {
        left = !(left ^ u32::from(*byte));
        right = !right.wrapping_add(u32::from(*byte));
        (left, right) = (right.rotate_left(step_right), left.rotate_left(step_left));
        let turn = ((left >> 16) ^ right) & 0xffff;
        step_right = turn & 31;
        step_left = turn >> 11;
    }
    left ^ right
}

/// HAProxy 2.9 `hash-type … none`: the key is read as a decimal number (`read_int64`-like: leading
/// digits only).
fn decimal(key: &[u8]) -> u32 {
    key.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0u32, |value, byte| {
            value.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'))
        })
}

/// `full_hash`: the avalanche of `hash-type`, and the place of every node of HAProxy's ring.
pub(crate) fn avalanche(value: u32) -> u32 {
    let mut a = value;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
}

const PRIMES: [u32; 5] = [
    2_654_435_761,
    2_246_822_519,
    3_266_489_917,
    668_265_263,
    374_761_393,
];

/// XXH32, which HAProxy uses for IPv6 `hash-key` and the `xxh32` converter.
pub(crate) fn xxh32(input: &[u8], seed: u32) -> u32 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let stripes = input.chunks_exact(16);
    let rest = stripes.remainder();
    let mut hash = if input.len() >= 16 {
        let mut lanes = [
            seed.wrapping_add(p1).wrapping_add(p2),
            seed.wrapping_add(p2),
            seed,
            seed.wrapping_sub(p1),
        ];
        for stripe in stripes {
            for (lane, word) in lanes.iter_mut().zip(stripe.chunks_exact(4)) {
                *lane = lane.wrapping_add(word32(word).wrapping_mul(p2));
                *lane = lane.rotate_left(13).wrapping_mul(p1);
            }
        }
        let turns = [1, 7, 12, 18];
        lanes.iter().zip(turns).fold(0u32, |sum, (lane, turn)| {
            sum.wrapping_add(lane.rotate_left(turn))
        })
    } else {
        seed.wrapping_add(p5)
    };
    // The length is taken modulo 2^32 by definition.
    hash = hash.wrapping_add(u32::try_from(input.len() & 0xffff_ffff).unwrap_or(0));
    let words = rest.chunks_exact(4);
    let tail = words.remainder();
    for word in words {
        hash = hash.wrapping_add(word32(word).wrapping_mul(p3));
        hash = hash.rotate_left(17).wrapping_mul(p4);
    }
    for byte in tail {
        hash = hash.wrapping_add(u32::from(*byte).wrapping_mul(p5));
        hash = hash.rotate_left(11).wrapping_mul(p1);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(p2);
    hash = (hash ^ (hash >> 13)).wrapping_mul(p3);
    hash ^ (hash >> 16)
}

/// Four bytes, little-endian.
fn word32(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_give_the_published_check_values() {
        assert_eq!(sdbm(b"abc"), 0x3025_f862);
        assert_eq!(djb2(b"abc"), 0x0b88_5c8b);
        assert_eq!(wt6(b"abc"), 0x9400_28e8);
        assert_eq!(of_key(HashFunction::Crc32, b"abc"), 0x3524_41c2);
        assert_eq!(of_key(HashFunction::None, b"4294967298x"), 2);
    }

    #[test]
    fn avalanche_gives_the_check_values() {
        assert_eq!(avalanche(0), 0xab4e_d927);
        assert_eq!(avalanche(1), 0x3486_81b6);
        assert_eq!(avalanche(4096), 0x49c2_008b);
    }

    #[test]
    fn xxh32_gives_the_published_check_values() {
        assert_eq!(xxh32(b"", 0), 0x02cc_5d05);
        assert_eq!(xxh32(b"abc", 0), 0x32d1_53ff);
        assert_eq!(
            xxh32(b"Nobody inspects the spammish repetition", 0),
            0xe229_3b2f
        );
    }
}
