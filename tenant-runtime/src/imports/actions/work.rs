//! Carrying imports out: some products in one transaction, together with the mark of how far it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::json;
use souk_access::WorkerPermit;
use souk_api::Problem;
use souk_event_bus::emit;
use souk_kernel::{Currency, ImportId, SalesChannelId};
use souk_tenancy::{ReadTx, TenancyError, WriteTx};
use tokio::sync::Semaphore;

use crate::audit::{self, By, Change};
use crate::catalog::{self, CatalogError, Placed, ProductWish, Put, Putter};
use crate::channels::{self, Placement};
use crate::imports::error::ImportError;
use crate::imports::events::ImportFinished;
use crate::imports::model::{Complaint, Format, Ground, Group, Groups, Header, Level, Mark, Read, read};
use crate::imports::queries::{self, Job, Step};
use crate::imports::state::{ImportEvent, ImportState};
use crate::settings;

/// Products, rows and bytes of one transaction: others wait for what it locks no longer than for an order of theirs.
const PRODUCTS: usize = 25;
const ROWS: u64 = 500;
const BYTES: usize = 4 << 20;
/// A visit ends after this, so that other stores and other work have their turn.
const VISIT: Duration = Duration::from_secs(2);
/// Visits at the same time in this process, of the few that all due work together has.
static SEATS: Semaphore = Semaphore::const_new(2);
/// Visits that may come to nothing, one after the other: with the pauses between them about an hour.
const ATTEMPTS: i32 = 20;

/// What a visit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worked {
    /// There is nothing to do.
    Nothing,
    /// There is more to do.
    More,
    /// Others are at it; look again soon.
    Busy,
}

/// Works on the store's oldest import for a moment. Whoever works on it at the same time does no harm: each step locks the import and goes on
/// from its mark.
///
/// # Errors
/// The database's; the step is undone, and another visit repeats it.
pub async fn work_due(worker: &WorkerPermit) -> Result<Worked, ImportError> {
    let Ok(_seat) = SEATS.try_acquire() else { return Ok(Worked::Busy) };
    let (started, mut reading) = (Instant::now(), None);
    loop {
        match step(worker, &mut reading).await? {
            Worked::More if started.elapsed() <= VISIT => {}
            worked => return Ok(worked),
        }
    }
}

/// Some products more. `reading` is for the next step.
///
/// # Errors
/// As [`work_due`].
pub async fn step(worker: &WorkerPermit, reading: &mut Option<Reading>) -> Result<Worked, ImportError> {
    let look = async |tx: &mut ReadTx<'_>| {
        let Some(job) = queries::next(tx).await? else { return Ok(None) };
        let currency = settings::current(tx).await?.currency;
        Ok::<_, ImportError>(Some((job, currency)))
    };
    let Some((job, currency)) = worker.read("imports.next", look).await? else { return Ok(Worked::Nothing) };
    let known = reading.take().filter(|reading| reading.is_at(&job));
    match advance(worker, &job, currency, known).await {
        Ok((worked, next)) => {
            *reading = next;
            Ok(worked)
        }
        Err(error) => {
            let cause = match &error {
                ImportError::File(fault) => Some(fault.message.clone()),
                _ if job.attempts + 1 >= ATTEMPTS => Some(
                    "The store's database refused again and again. What was applied stays; send the file again to have the rest."
                        .to_owned(),
                ),
                _ => None,
            };
            let cause = cause.as_deref();
            let failed = async move |tx: &mut WriteTx<'_>| failed(tx, &job, cause).await;
            worker.write("imports.attempted", failed).await?;
            Err(error)
        }
    }
}

async fn failed(tx: &mut WriteTx<'_>, job: &Job, cause: Option<&str>) -> Result<(), ImportError> {
    let id = job.view.id;
    let Some(now) = queries::lock(tx, id).await?.filter(|now| !now.state.is_over()) else { return Ok(()) };
    let Some(cause) = cause else { return Ok(queries::attempted(tx, id).await?) };
    let state = now.state.on(ImportEvent::Fail)?;
    queries::end(tx, id, state, Some(cause)).await?;
    finished(tx, job).await
}

/// Reads, then applies; gives what the next step goes on with.
async fn advance(
    worker: &WorkerPermit,
    job: &Job,
    currency: Currency,
    known: Option<Reading>,
) -> Result<(Worked, Option<Reading>), ImportError> {
    let mut reading = match known {
        Some(reading) => reading,
        None => Reading::open(worker, job).await?,
    };
    let (groups, last) = reading.next(worker).await?;
    let end = groups.last().map_or(job.mark, |group| group.end);
    let rows = groups.iter().map(|group| group.count).sum();
    let (header, ground) = (reading.header.as_ref(), &reading.ground);
    let limit = worker.entry().limits.products;
    let reads: Vec<Read<'_>> = groups.iter().map(|group| read(group, header, ground, currency)).collect();
    let work = async move |tx: &mut WriteTx<'_>| {
        let Some(now) = queries::seize(tx, job.view.id).await? else { return Ok(Stepped::Held) };
        if now.state.is_over() || now.mark != job.mark {
            return Ok(Stepped::Moved);
        }
        apply(tx, &now, reads, Ahead { rows, end, last, limit }).await?;
        Ok::<_, ImportError>(Stepped::Applied)
    };
    let stepped = worker.write("imports.step", work).await?;
    reading.mark = end;
    Ok(match stepped {
        Stepped::Applied => (Worked::More, Some(reading)),
        // Somebody else went on, or it is over.
        Stepped::Moved => (Worked::More, None),
        Stepped::Held => (Worked::Busy, None),
    })
}

/// How a step went.
enum Stepped {
    Applied,
    /// Its mark was no longer there.
    Moved,
    /// Somebody else is at it in this moment.
    Held,
}

/// Where a step leads.
struct Ahead {
    rows: u64,
    end: Mark,
    last: bool,
    /// How many products the plan allows.
    limit: u32,
}

/// Applies what was read and moves the mark. The import is locked.
async fn apply(
    tx: &mut WriteTx<'_>,
    job: &Job,
    mut reads: Vec<Read<'_>>,
    ahead: Ahead,
) -> Result<(), ImportError> {
    let mut step = Step { rows: ahead.rows, ..Step::default() };
    if reads.iter().any(|read| !read.wish.publications.is_empty()) {
        let (channels, now) = (channels::keep_channels(tx).await?, tx.now());
        reads.iter_mut().for_each(|read| read.place(&channels, now));
    }
    let sound: Vec<usize> =
        reads.iter().enumerate().filter(|(_, read)| read.is_sound()).map(|(place, _)| place).collect();
    let wishes: Wishes = sound
        .iter()
        .filter_map(|place| reads.get(*place))
        .map(|read| (read.wish.clone(), read.placements.clone()))
        .unzip();
    let by = job.view.match_by.put_by();
    let putter = Putter { actor: &job.view.by, may_adjust: job.may_adjust, by, limit: ahead.limit };
    let outcomes = match job.view.dry_run {
        _ if wishes.0.is_empty() => Vec::new(),
        true => rehearse(tx, &wishes, putter).await?,
        false => put(tx, &wishes, putter).await?,
    };
    for (place, outcome) in sound.into_iter().zip(outcomes) {
        match outcome {
            Ok(Placed { put: Put::Created, .. }) => step.products.created += 1,
            Ok(Placed { put: Put::Updated, .. }) => step.products.updated += 1,
            Ok(Placed { put: Put::Unchanged, .. }) => step.products.unchanged += 1,
            Err(error) => {
                let problem = Problem::from(error);
                if problem.status().as_u16() >= 500 {
                    tracing::error!(import = %job.view.id, ?problem, "a product could not be applied");
                }
                if let Some(read) = reads.get_mut(place) {
                    read.refused(&problem);
                }
            }
        }
    }
    let mut entries: Vec<(Option<String>, Complaint)> = Vec::new();
    for read in reads {
        step.products.failed += i64::from(!read.is_sound());
        let name = read.name;
        entries.extend(read.complaints.into_iter().map(|complaint| (name.clone(), complaint)));
    }
    let count = |level| entries.iter().filter(|(_, complaint)| complaint.level == level).count();
    step.errors = i64::try_from(count(Level::Error)).unwrap_or(i64::MAX);
    step.warnings = i64::try_from(count(Level::Warning)).unwrap_or(i64::MAX);
    if !entries.is_empty() {
        queries::note(tx, job.view.id, &entries).await?;
    }
    let event = if ahead.last { ImportEvent::Finish } else { ImportEvent::Advance };
    let state = job.state.on(event)?;
    queries::advance(tx, job.view.id, state, &step, ahead.end).await?;
    if state == ImportState::Done { finished(tx, job).await } else { Ok(()) }
}

/// It is over: the file goes, and who waits is told. A rehearsal is nobody's business.
async fn finished(tx: &mut WriteTx<'_>, job: &Job) -> Result<(), ImportError> {
    let id = job.view.id;
    queries::drop_file(tx, id).await?;
    if job.view.dry_run {
        return Ok(());
    }
    let Some(view) = queries::find(tx, id).await? else { return Ok(()) };
    emit(tx, &ImportFinished::of(&view)).await?;
    let by = By { actor: view.by.clone(), request_id: String::new(), reason: None };
    let details = json!({ "state": view.state, "rows": view.rows, "products": view.products });
    Ok(audit::record(tx, &by, "import.finished", &id.to_string(), Change::default(), details).await?)
}

/// What is wished of products, and where each of them is to be sold.
type Wishes = (Vec<ProductWish>, Vec<Vec<(SalesChannelId, Placement)>>);

/// Has the catalogue and the sales channels say what is wished; one that was so in the catalogue is changed when it was sold elsewhere.
async fn put(
    tx: &mut WriteTx<'_>,
    (wishes, placements): &Wishes,
    putter: Putter<'_>,
) -> Result<Vec<Result<Placed, CatalogError>>, ImportError> {
    let mut outcomes = catalog::put_all(tx, wishes, putter).await?;
    let (mut places, mut created) = (BTreeMap::new(), BTreeSet::new());
    for (placed, wanted) in outcomes.iter().zip(placements) {
        let Ok(Placed { product, put }) = placed else { continue };
        if *put == Put::Created {
            created.insert(*product);
        }
        places.extend(wanted.iter().map(|(channel, place)| ((*product, *channel), *place)));
    }
    let changed = channels::place(tx, &places, &created).await?;
    for (placed, wanted) in outcomes.iter_mut().zip(placements) {
        if let Ok(placed) = placed
            && placed.put == Put::Unchanged
            && !wanted.is_empty()
            && changed.contains(&placed.product)
        {
            placed.put = Put::Updated;
        }
    }
    Ok(outcomes)
}

/// Why a rehearsal ended.
enum Curtain {
    /// All was done, and is to be undone.
    Falls(Vec<Result<Placed, CatalogError>>),
    Failed(ImportError),
}

impl From<TenancyError> for Curtain {
    fn from(error: TenancyError) -> Self {
        Self::Failed(error.into())
    }
}

/// Does everything, and undoes it.
async fn rehearse(
    tx: &mut WriteTx<'_>,
    wishes: &Wishes,
    putter: Putter<'_>,
) -> Result<Vec<Result<Placed, CatalogError>>, ImportError> {
    let play = async move |tx: &mut WriteTx<'_>| match put(tx, wishes, putter).await {
        Ok(outcomes) => Err::<(), _>(Curtain::Falls(outcomes)),
        Err(error) => Err(Curtain::Failed(error)),
    };
    match tx.savepoint(play).await {
        Err(Curtain::Falls(outcomes)) => Ok(outcomes),
        Err(Curtain::Failed(error)) => Err(error),
        Ok(()) => Ok(Vec::new()),
    }
}

/// An import's file, read from its mark on.
pub struct Reading {
    job: ImportId,
    header: Option<Header>,
    ground: Ground,
    groups: Groups,
    /// The next byte to be fetched.
    fetched: u64,
    /// Where the next step begins.
    mark: Mark,
}

impl Reading {
    /// What the file names is looked up once: a visit is short. One that is gone meanwhile is refused by whoever has it.
    async fn open(worker: &WorkerPermit, job: &Job) -> Result<Self, ImportError> {
        let header = match job.view.format {
            Format::Csv => Some(Header::of(job.header.clone(), job.view.match_by)?),
            Format::Jsonl => None,
        };
        let groups = Groups::new(job.view.format, job.delimiter, header.clone(), job.mark);
        let look = async |tx: &mut ReadTx<'_>| {
            let definitions = catalog::definitions(tx, None, None).await?;
            Ok::<_, ImportError>((definitions, catalog::category_names(tx).await?))
        };
        let (definitions, categories) = match header {
            Some(_) => worker.read("imports.open", look).await?,
            None => (Vec::new(), Vec::new()),
        };
        let ground = Ground::new(header.as_ref(), &definitions, categories, job.may_publish);
        Ok(Self { job: job.view.id, header, ground, groups, fetched: job.mark.byte, mark: job.mark })
    }

    fn is_at(&self, job: &Job) -> bool {
        self.job == job.view.id && self.mark == job.mark
    }

    /// The products of the next step, and whether they are the last.
    async fn next(&mut self, worker: &WorkerPermit) -> Result<(Vec<Group>, bool), ImportError> {
        let (mut groups, mut rows, mut bytes) = (Vec::new(), 0, 0);
        while groups.len() < PRODUCTS && rows < ROWS && bytes < BYTES {
            if let Some(group) = self.groups.next()? {
                rows += group.count;
                bytes += group.size();
                groups.push(group);
            } else if self.groups.is_whole() {
                return Ok((groups, true));
            } else {
                self.fetch(worker).await?;
            }
        }
        Ok((groups, false))
    }

    async fn fetch(&mut self, worker: &WorkerPermit) -> Result<(), ImportError> {
        let (job, byte) = (self.job, self.fetched);
        let look =
            async move |tx: &mut ReadTx<'_>| Ok::<_, ImportError>(queries::piece(tx, job, byte).await?);
        match worker.read("imports.piece", look).await? {
            Some((piece, offset)) => {
                let piece = piece.get(offset..).unwrap_or_default();
                self.fetched += piece.len() as u64;
                self.groups.push(piece);
                // A piece that ends where this byte is has no more.
                if piece.is_empty() {
                    self.groups.end();
                }
            }
            None => self.groups.end(),
        }
        Ok(())
    }
}
