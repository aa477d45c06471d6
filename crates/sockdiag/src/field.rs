//! Fields of the kernel's structures, and the one way to read them: by length, never by a cast.
//!
//! A value is what the kernel wrote, in the kernel's unit.

use super::attribute::Attribute;

/// Where a field is and which of its values mean "no value".
#[derive(Debug)]
pub struct Field {
    /// What it is a part of.
    pub attribute: Attribute,
    /// The field's name in the kernel's header.
    pub name: &'static str,
    /// Offset of the field's first byte in the attribute.
    pub offset: usize,
    /// How the bytes there are read.
    pub width: Width,
    /// The first Linux release that sends the field; empty for every release.
    pub since: &'static str,
    /// The value that the kernel writes for "no value".
    pub none: NoneValue,
}

/// How many bytes or bits a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One byte.
    U8,
    /// Two bytes.
    U16,
    /// Four bytes.
    U32,
    /// Eight bytes, aligned to four only.
    U64,
    /// Two words of four bytes, the low one first on every machine.
    LowHigh,
    /// `count` bits of one byte, from bit `shift` up (little-endian bit-field order).
    Bits {
        /// The lowest bit.
        shift: u8,
        /// How many bits.
        count: u8,
    },
}

impl Width {
    const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::Bits { .. } => 1,
            Self::U16 => 2,
            Self::U32 => 4,
            Self::U64 | Self::LowHigh => 8,
        }
    }

    /// How many bits a value has.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bits { count, .. } => count as u32,
            Self::U8 => u8::BITS,
            Self::U16 => u16::BITS,
            Self::U32 => u32::BITS,
            Self::U64 | Self::LowHigh => u64::BITS,
        }
    }
}

/// The value of a field that means "no value".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoneValue {
    /// Every value is a value.
    Never,
    /// Zero: no sample yet.
    Zero,
    /// This value and everything above it.
    AtLeast(u64),
    /// Zero, and this value and everything above it.
    ZeroOrAtLeast(u64),
    /// Every value while the two bytes at this offset of the attribute are zero.
    WhileZero(usize),
}

/// The same part of the same attribute.
impl PartialEq for Field {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.offset == other.offset && self.attribute == other.attribute && self.width == other.width
    }
}

impl Eq for Field {}

impl Field {
    /// Offset behind the field's last byte.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.offset + self.width.bytes()
    }

    /// The field's value, if the attribute reaches its end and the value is one.
    #[must_use]
    #[expect(
        clippy::inline_always,
        reason = "with a field that the compiler knows, little more than a load is left"
    )]
    #[inline(always)]
    pub fn read(&self, attribute: &[u8]) -> Option<u64> {
        let rest = attribute.get(self.offset..)?;
        let value = match self.width {
            Width::U8 => u64::from(*rest.first()?),
            Width::Bits { shift, count } => u64::from((rest.first()? >> shift) & ((1 << count) - 1)),
            Width::U16 => u64::from(u16::from_ne_bytes(*rest.first_chunk()?)),
            Width::U32 => u64::from(u32::from_ne_bytes(*rest.first_chunk()?)),
            Width::U64 => u64::from_ne_bytes(*rest.first_chunk()?),
            Width::LowHigh => {
                let (low, high) = rest.split_first_chunk()?;
                u64::from(u32::from_ne_bytes(*low))
                    | u64::from(u32::from_ne_bytes(*high.first_chunk()?)) << u32::BITS
            }
        };
        let none = match self.none {
            NoneValue::Never => false,
            NoneValue::Zero => value == 0,
            NoneValue::AtLeast(limit) => value >= limit,
            NoneValue::ZeroOrAtLeast(limit) => value == 0 || value >= limit,
            NoneValue::WhileZero(flag) => attribute.get(flag..flag + 2).is_none_or(|flag| flag == [0, 0]),
        };
        (!none).then_some(value)
    }
}

/// Constants of the fields of one attribute, a line each, and the list of all, in the header's order.
macro_rules! fields {
    (
        $(#[$about:meta])* $all:ident = $attribute:ident;
        $($field:ident $name:literal @ $offset:literal $width:expr, $since:literal, $none:expr, $doc:literal;)*
    ) => {
        $(
            #[doc = $doc]
            pub const $field: $crate::Field = $crate::Field {
                attribute: $crate::Attribute::$attribute,
                name: $name,
                offset: $offset,
                width: $width,
                since: $since,
                none: $none,
            };
        )*

        $(#[$about])*
        pub const $all: &[&$crate::Field] = &[$(&$field),*];
    };
}

pub(super) use fields;
