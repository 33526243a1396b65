//! Files of pictures as they are handed around.

use bytes::Bytes;
use souk_api::Digest;
use souk_kernel::{ImageId, StoreId};
use souk_media::{Master, Size};
use uuid::Uuid;

/// The largest file that is taken, in bytes.
pub const MOST_BYTES: usize = souk_media::Limits::SHOP.bytes;

/// A picture that was taken, before it is kept.
#[derive(Clone, Debug)]
pub struct Developed {
    /// In its name; new each time.
    pub id: Uuid,
    pub content_type: &'static str,
    pub width: u32,
    pub height: u32,
    pub bytes: Bytes,
    pub digest: Digest,
    /// Whether an object store has the bytes; else their row has.
    pub shelved: bool,
}

impl Developed {
    pub fn new(master: Master, shelved: bool) -> Self {
        let Master { kind, bytes, width, height } = master;
        let digest = Digest::of(&bytes);
        let (id, bytes) = (Uuid::now_v7(), Bytes::from(bytes));
        Self { id, content_type: kind.content_type(), width, height, bytes, digest, shelved }
    }

    /// How many bytes of the plan it takes.
    pub fn size(&self) -> i64 {
        i64::try_from(self.bytes.len()).unwrap_or(i64::MAX)
    }
}

/// Where the bytes of a picture are.
#[derive(Clone, Debug)]
pub struct Original {
    pub content_type: String,
    /// Its object; none for a picture from before there were any.
    pub object: Option<Uuid>,
    /// The bytes, if a row has them and they were asked for.
    pub content: Option<Bytes>,
}

/// A picture as it is sent.
#[derive(Clone, Debug)]
pub struct Shown {
    pub content_type: String,
    pub bytes: Bytes,
}

/// Which size of which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SizeKey {
    pub store: StoreId,
    pub image: ImageId,
    pub size: Size,
}

/// Where a store's objects are. Nobody but us names a part of it, so nothing in it can lead elsewhere.
pub fn of_store(store: StoreId) -> String {
    format!("{STORES}/{store}")
}

/// Where those of all stores are.
pub const STORES: &str = "stores";

/// Where the objects of one picture are.
pub fn of_object(store: StoreId, object: Uuid) -> String {
    format!("{}/{}", of_store(store), object.simple())
}

/// The picture as it is kept.
pub fn whole(store: StoreId, object: Uuid) -> String {
    format!("{}/whole", of_object(store, object))
}

/// A size of it.
pub fn sized(store: StoreId, object: Uuid, size: Size) -> String {
    format!("{}/{}", of_object(store, object), size.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use souk_media::Format;

    #[test]
    fn the_store_is_in_every_name() {
        let (store, other) = (StoreId::new(), StoreId::new());
        let object = Uuid::now_v7();
        let size = Size::new(96, Format::Jpeg).unwrap();
        for name in [whole(store, object), sized(store, object, size)] {
            assert!(name.starts_with(&format!("stores/{store}/{}/", object.simple())), "{name}");
            assert!(!name.starts_with(&of_store(other)));
        }
        assert!(sized(store, object, size).ends_with("/96.jpeg"));
    }
}
