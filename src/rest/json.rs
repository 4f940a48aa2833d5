//! JSON as servers send it: after a byte order mark, and with lists that have no end.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};

use crate::http::without_byte_order_mark;

/// Reads JSON, before which a byte order mark may stand.
pub(super) fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(without_byte_order_mark(body))
}

#[derive(Deserialize)]
pub(super) struct Values<T> {
    pub(super) value: T,
}

/// The first of a list; the others take no memory.
pub(super) struct First<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = First<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<First<T>, A::Error> {
                let first = list.next_element()?;
                while let Some(IgnoredAny) = list.next_element()? {}
                Ok(First(first))
            }
        }

        deserializer.deserialize_seq(Read(PhantomData))
    }
}

/// A list with a bounded number of elements: an empty one in JSON takes less than one in memory.
pub(super) struct AtMost<T, const MOST: usize>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for AtMost<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Read<T, MOST> {
            type Value = AtMost<T, MOST>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(element) = list.next_element()? {
                    if read.len() == MOST {
                        return Err(de::Error::invalid_length(MOST + 1, &self));
                    }
                    read.push(element);
                }
                Ok(AtMost(read))
            }
        }

        deserializer.deserialize_seq(Read(PhantomData))
    }
}
