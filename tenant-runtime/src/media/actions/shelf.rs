//! Where objects are: a folder, or anything that speaks S3.

use std::path::Path as FolderPath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectStore, ObjectStoreExt as _};
use url::Url;

use super::super::error::MediaError;

/// Why there is no shelf.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The address is neither.
    #[error("must be file:///a/folder or s3://bucket or s3://bucket/prefix")]
    Address,
    /// The folder cannot be made.
    #[error("the folder cannot be made: {0}")]
    Folder(#[from] std::io::Error),
    /// The object store's settings do not fit together.
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

/// Where objects are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shelf {
    objects: Arc<dyn ObjectStore>,
}

impl Shelf {
    /// `file:///a/folder`, which is made if it is not there, or `s3://bucket/prefix`, whose region, endpoint and credentials are in the
    /// environment under the names that every S3 client reads (`AWS_REGION`, `AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID`, …). Asks nobody yet.
    ///
    /// # Errors
    /// The address is neither; the settings do not fit together.
    pub fn at(address: &str) -> Result<Self, ShelfError> {
        let url: Url = address.parse().map_err(|_| ShelfError::Address)?;
        match url.scheme() {
            "file" => {
                let folder = url.to_file_path().map_err(|()| ShelfError::Address)?;
                Self::in_folder(&folder)
            }
            "s3" => {
                let bucket = url.host_str().filter(|bucket| !bucket.is_empty()).ok_or(ShelfError::Address)?;
                // Another one may have been installed before; any will do.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let bucket = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
                let prefix = Path::from(url.path());
                Ok(Self { objects: Arc::new(PrefixStore::new(bucket, prefix)) })
            }
            _ => Err(ShelfError::Address),
        }
    }

    fn in_folder(folder: &FolderPath) -> Result<Self, ShelfError> {
        std::fs::create_dir_all(folder)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true);
        Ok(Self { objects: Arc::new(objects) })
    }

    /// In memory: for tests.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        Self { objects: Arc::new(object_store::memory::InMemory::new()) }
    }

    /// The names of all objects: for tests.
    #[cfg(test)]
    pub async fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut found = self.objects.list(None);
        while let Some(object) = found.next().await {
            names.push(object.unwrap().location.to_string());
        }
        names.sort();
        names
    }

    /// The object of this name; `None` when there is none.
    ///
    /// # Errors
    /// [`MediaError::Away`].
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, MediaError> {
        match self.objects.get(&Path::from(name)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(away)?)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(away(error)),
        }
    }

    /// Puts an object down, whole or not at all. Repeating it does no harm.
    ///
    /// # Errors
    /// [`MediaError::Away`].
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<(), MediaError> {
        self.objects.put(&Path::from(name), bytes.into()).await.map_err(away)?;
        Ok(())
    }

    /// Removes every object below a name. What is not there is no fault.
    ///
    /// # Errors
    /// [`MediaError::Away`].
    pub async fn clear(&self, name: &str) -> Result<(), MediaError> {
        let mut found = self.objects.list(Some(&Path::from(name)));
        let mut places = Vec::new();
        while let Some(object) = found.next().await {
            places.push(object.map_err(away)?.location);
        }
        for place in &places {
            match self.objects.delete(place).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(away(error)),
            }
        }
        Ok(())
    }

    /// The last parts of the names that go on below this one.
    ///
    /// # Errors
    /// [`MediaError::Away`].
    pub async fn below(&self, name: &str) -> Result<Vec<String>, MediaError> {
        let found = self.objects.list_with_delimiter(Some(&Path::from(name))).await.map_err(away)?;
        let names = found.common_prefixes.iter();
        Ok(names.filter_map(|place| place.filename().map(str::to_owned)).collect())
    }
}

/// What an object store says may name hosts and buckets: for the log.
fn away(error: Error) -> MediaError {
    MediaError::Away(error.to_string())
}
