//! Whole numbers of some 1,200 bits: just what printing a double needs.

use std::cmp::Ordering;

/// 32-bit limbs, least significant first, without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Big {
    limbs: Vec<u32>,
}

impl Big {
    /// value * 5^fives * 2^twos; negative powers count as none.
    pub(super) fn new(value: u64, fives: i32, twos: i32) -> Self {
        let mut big = Self { limbs: vec![value as u32, (value >> 32) as u32] };
        let mut fives = fives.max(0) as u32;
        while fives > 0 {
            let step = fives.min(13);
            big = big.times(5u32.pow(step));
            fives -= step;
        }
        let twos = twos.max(0) as u32;
        big = big.times(1 << (twos % 32));
        let mut limbs = vec![0; (twos / 32) as usize];
        limbs.append(&mut big.limbs);
        Self { limbs }.trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
        self
    }

    fn times(&self, factor: u32) -> Self {
        let mut carry = 0;
        let mut limbs: Vec<u32> = self
            .limbs
            .iter()
            .map(|&limb| {
                let product = u64::from(limb) * u64::from(factor) + carry;
                carry = product >> 32;
                product as u32
            })
            .collect();
        limbs.push(carry as u32);
        Self { limbs }.trimmed()
    }

    pub(super) fn times_ten(&self) -> Self {
        self.times(10)
    }

    pub(super) fn doubled(&self) -> Self {
        self.times(2)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (long, short) = if self.limbs.len() >= other.limbs.len() { (self, other) } else { (other, self) };
        let mut carry = 0;
        let addends = short.limbs.iter().copied().chain(std::iter::repeat(0));
        let mut limbs: Vec<u32> = long
            .limbs
            .iter()
            .zip(addends)
            .map(|(&a, b)| {
                let sum = u64::from(a) + u64::from(b) + carry;
                carry = sum >> 32;
                sum as u32
            })
            .collect();
        limbs.push(carry as u32);
        Self { limbs }.trimmed()
    }

    /// Divides by `divisor`, of which it is less than ten times, leaves the remainder, and gives the quotient.
    pub(super) fn take_quotient(&mut self, divisor: &Self) -> u8 {
        let mut quotient = 0;
        while quotient < 9 && *self >= *divisor {
            self.subtract(divisor);
            quotient += 1;
        }
        quotient
    }

    fn subtract(&mut self, smaller: &Self) {
        let mut borrow = false;
        let subtrahends = smaller.limbs.iter().copied().chain(std::iter::repeat(0));
        for (limb, subtrahend) in self.limbs.iter_mut().zip(subtrahends) {
            let (difference, under) = limb.overflowing_sub(subtrahend);
            let (difference, under_again) = difference.overflowing_sub(u32::from(borrow));
            *limb = difference;
            borrow = under || under_again;
        }
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        self.limbs.len().cmp(&other.limbs.len()).then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }
}
