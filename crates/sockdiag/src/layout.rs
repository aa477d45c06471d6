//! Tables of a kernel struct's fields, and the one way to read them: by length, never by a cast.
//!
//! Refuses to know units: a value is what the kernel wrote.

/// Where a field lies and which of its values mean "nothing yet".
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The field's name in the kernel's header.
    pub name: &'static str,
    /// Offset of the field's first byte.
    pub offset: usize,
    /// How the bytes there are read.
    pub width: Width,
    /// The first Linux release that sends the field.
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
    pub(super) const fn bytes(self) -> usize {
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
}

impl Layout {
    /// The field's value, if the payload reaches its end and the value is one.
    #[must_use]
    #[inline]
    pub fn read(&self, payload: &[u8]) -> Option<u64> {
        self.value(payload)
    }

    /// The same, where the field is named in code.
    #[expect(
        clippy::inline_always,
        reason = "with a layout that the compiler knows, little more than a load is left"
    )]
    #[inline(always)]
    pub(super) fn value(&self, payload: &[u8]) -> Option<u64> {
        let bytes = payload.get(self.offset..self.offset + self.width.bytes())?;
        let value = match (self.width, bytes) {
            (Width::U8, [byte]) => u64::from(*byte),
            (Width::Bits { shift, count }, [byte]) => u64::from((byte >> shift) & ((1 << count) - 1)),
            (Width::U16, bytes) => u64::from(u16::from_ne_bytes(bytes.try_into().ok()?)),
            (Width::U32, bytes) => u64::from(u32::from_ne_bytes(bytes.try_into().ok()?)),
            (Width::U64, bytes) => u64::from_ne_bytes(bytes.try_into().ok()?),
            (Width::LowHigh, [low @ .., _, _, _, _]) => {
                let high = bytes.last_chunk()?;
                let low = u32::from_ne_bytes(low.try_into().ok()?);
                u64::from(low) | u64::from(u32::from_ne_bytes(*high)) << u32::BITS
            }
            _ => return None,
        };
        let none = match self.none {
            NoneValue::Never => false,
            NoneValue::Zero => value == 0,
            NoneValue::AtLeast(limit) => value >= limit,
            NoneValue::ZeroOrAtLeast(limit) => value == 0 || value >= limit,
        };
        (!none).then_some(value)
    }
}

/// An enum of fields with a [`Layout`] each, one line a field, in the header's order.
macro_rules! fields {
    (
        $(#[$about:meta])* $fields:ident $prefix:literal;
        $($field:ident $name:ident @ $offset:literal $width:expr, $since:literal, $none:expr, $doc:literal;)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $fields {
            $(#[doc = $doc] $field,)*
        }

        impl $fields {
            /// Every field, in header order.
            pub const ALL: &'static [Self] = &[$(Self::$field),*];

            /// Where the field lies.
            #[must_use]
            #[inline]
            pub const fn layout(self) -> &'static $crate::Layout {
                const LAYOUTS: &[$crate::Layout] = &[$($crate::Layout {
                    name: concat!($prefix, stringify!($name)),
                    offset: $offset,
                    width: $width,
                    since: $since,
                    none: $none,
                }),*];
                #[expect(clippy::indexing_slicing, reason = "one layout a field, in the same order")]
                &LAYOUTS[self as usize]
            }
        }
    };
}

pub(super) use fields;
