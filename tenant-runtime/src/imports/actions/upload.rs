//! A file on its way: looked through and kept piece by piece.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use souk_access::{Permission, Permit, Reply};
use souk_api::{Digest, IdempotencyKey, Problem, problem};
use souk_kernel::ImportId;
use souk_tenancy::WriteTx;

use super::SILENT;
use crate::catalog::permissions::Edit;
use crate::channels::permissions::Edit as Publish;
use crate::imports::error::ImportError;
use crate::imports::model::{Format, Inspector, MOST_BYTES, PIECE, Upload};
use crate::imports::queries::{self, NewImport, Seen};
use crate::inventory::permissions::Adjust;

/// How long a file may take to arrive.
const PATIENCE: Duration = Duration::from_secs(600);
/// Requests that took the same place at the same moment look for another so often.
const TRIES: usize = 8;

/// Takes a file in. It is refused as a whole for its header, for a row that cannot be read, and for too many of them; then, and when it breaks
/// off, nothing of it is kept. With a key, the same file again is answered with the same import.
///
/// # Errors
/// `Format`, `Waiting`, `File`, `TooLarge`; 408 when it takes longer than ten minutes.
pub async fn receive(
    permit: &Permit<Edit>,
    upload: Upload,
    content_type: Option<&str>,
    key: Option<&IdempotencyKey>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let format = upload.format(content_type).map_err(ImportError::Format)?;
    let inspector = Inspector::new(format, upload.match_by.unwrap_or_default());
    let mut arrival = Arrival { permit, id: ImportId::new(), upload, format, inspector, pieces: 0 };
    let answer = arrival.take(key, payload).await;
    let replayed =
        |answer: &HttpResponse| answer.headers().contains_key(souk_api::idempotency::REPLAYED_HEADER);
    if arrival.pieces > 0 && answer.as_ref().map_or(true, replayed) {
        arrival.abandon().await?;
    }
    answer
}

/// A file as far as it is there.
struct Arrival<'p> {
    permit: &'p Permit<Edit>,
    id: ImportId,
    upload: Upload,
    format: Format,
    inspector: Inspector,
    /// How many are kept.
    pieces: i32,
}

impl Arrival<'_> {
    async fn take(
        &mut self,
        key: Option<&IdempotencyKey>,
        payload: web::Payload,
    ) -> Result<HttpResponse, Problem> {
        let hash = souk_api::in_time(PATIENCE, self.collect(payload)).await?;
        // What is asked for is more than the file.
        let words = format!("{:?}", (self.format, self.upload.match_by, self.upload.dry_run));
        let digest = Digest::of(&[hash.as_slice(), words.as_bytes()].concat());
        let (id, header) = (self.id, self.inspector.header.as_ref());
        let seen = Seen {
            delimiter: char::from(self.inspector.delimiter).to_string(),
            ignored: header.map(|header| header.ignored.clone()).unwrap_or_default(),
            header: header.map(|header| header.names.clone()).unwrap_or_default(),
            rows: i64::try_from(self.inspector.rows).unwrap_or(i64::MAX),
        };
        let work = async move |tx: &mut WriteTx<'_>| {
            if !queries::arrive(tx, id, seen).await? {
                return Err(ImportError::Unknown);
            }
            let view = queries::find(tx, id).await?.ok_or(ImportError::Unknown)?;
            Ok(Reply::accepted(&view).location(&format!("/admin/v1/imports/{id}")))
        };
        match key {
            Some(key) => self.permit.write_once("imports.create", key, digest, work).await,
            None => self.permit.send(self.permit.write("imports.create", work).await?),
        }
    }

    /// Keeps what comes, piece by piece; gives its SHA-256. What is refused with its first piece was never there.
    async fn collect(&mut self, mut payload: web::Payload) -> Result<[u8; 32], Problem> {
        let (mut piece, mut bytes) = (BytesMut::with_capacity(PIECE), 0_u64);
        let mut hash = Sha256::new();
        while let Some(chunk) = payload.next().await {
            let broken = |error| {
                let words = format!("The body broke off: {error}");
                ImportError::Body(Problem::new(&problem::BAD_REQUEST).detail(words))
            };
            let mut chunk = chunk.map_err(broken)?;
            bytes += chunk.len() as u64;
            if bytes > MOST_BYTES {
                return Err(ImportError::TooLarge.into());
            }
            hash.update(&chunk);
            while !chunk.is_empty() {
                let part = chunk.split_to(chunk.len().min(PIECE - piece.len()));
                piece.extend_from_slice(&part);
                if piece.len() == PIECE {
                    self.inspector.look(&piece).map_err(ImportError::from)?;
                    self.keep(&piece).await?;
                    piece.clear();
                }
            }
        }
        if !piece.is_empty() {
            self.inspector.look(&piece).map_err(ImportError::from)?;
        }
        self.inspector.finish().map_err(ImportError::from)?;
        if !piece.is_empty() {
            self.keep(&piece).await?;
        }
        Ok(hash.finalize().into())
    }

    async fn keep(&mut self, piece: &[u8]) -> Result<(), ImportError> {
        if self.pieces == 0 {
            self.begin().await?;
        }
        let (id, number) = (self.id, self.pieces);
        self.pieces += 1;
        let work = async move |tx: &mut WriteTx<'_>| {
            // What belongs into the log is that the file arrived.
            tx.logged();
            let kept = queries::keep(tx, id, number, piece).await?;
            if kept { Ok(()) } else { Err(ImportError::Unknown) }
        };
        self.permit.write("imports.keep", work).await
    }

    async fn begin(&self) -> Result<(), ImportError> {
        let actor = self.permit.actor().to_string();
        let new = &NewImport {
            id: self.id,
            format: self.format,
            match_by: self.upload.match_by.unwrap_or_default(),
            dry_run: self.upload.dry_run.unwrap_or_default(),
            may_adjust: self.permit.holds(Adjust::KEY),
            may_publish: self.permit.holds(Publish::KEY),
            actor: &actor,
        };
        let make = async move |tx: &mut WriteTx<'_>| {
            tx.logged();
            let silent = tx.now() - SILENT;
            queries::abandon_stale(tx, silent).await?;
            for _ in 0..TRIES {
                if queries::begin(tx, new).await? {
                    return Ok(());
                }
                if !queries::has_place(tx).await? {
                    break;
                }
            }
            Err(ImportError::Waiting)
        };
        self.permit.write("imports.begin", make).await
    }

    async fn abandon(&self) -> Result<(), ImportError> {
        let id = self.id;
        let forget = async move |tx: &mut WriteTx<'_>| {
            tx.logged();
            Ok::<_, ImportError>(queries::abandon(tx, id).await?)
        };
        self.permit.write("imports.abandon", forget).await
    }
}
