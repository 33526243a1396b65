//! Issuing what is due.

use souk_access::{LinkSecret, Reach};
use souk_api::IfMatch;
use souk_event_bus::emit;
use souk_kernel::{InvoiceId, OrderId, RefundId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::InvoiceError;
use super::events::InvoiceIssued;
use super::model::{
    Document, Due, Invoice, InvoiceKind, InvoiceSettings, Language, PutInvoiceSettings, due, of_cancellation,
    of_order, of_refund,
};
use super::queries;
use crate::orders::{self, OrderView};
use crate::settings;

/// Who issues when nobody in particular does.
const BY_ITSELF: &str = "service:invoicing";

/// What was issued for an order, now and before.
pub struct Issued {
    pub all: Vec<Invoice>,
    /// How many of them just now.
    pub fresh: usize,
}

/// Issues the invoice of a paid order and the credit notes of what went back since; what is issued is not issued again. Takes the order's
/// lock, then the settings' row.
///
/// # Errors
/// [`InvoiceError::Unknown`]; [`InvoiceError::NotDue`] when the order has no document and should have none;
/// [`InvoiceError::Seller`] while nobody has said who sells.
pub async fn issue(tx: &mut WriteTx<'_>, id: OrderId, actor: &str) -> Result<Issued, InvoiceError> {
    orders::lock(tx, id).await?.ok_or(InvoiceError::Unknown)?;
    let order = orders::view(tx, id).await?;
    let before = queries::of_order(tx, id).await?;
    let invoice = before.iter().find(|known| known.kind == InvoiceKind::Invoice).cloned();
    let has = |due: &Due| match due {
        Due::Invoice => invoice.is_some(),
        Due::Refund(refund) => before.iter().any(|known| known.refund == Some(*refund)),
        Due::Cancellation => {
            before.iter().any(|known| known.kind == InvoiceKind::CreditNote && known.refund.is_none())
        }
    };
    let missing: Vec<Due> = due(&order, invoice.is_some()).into_iter().filter(|due| !has(due)).collect();
    if missing.is_empty() {
        return if before.is_empty() {
            Err(InvoiceError::NotDue)
        } else {
            Ok(Issued { all: before, fresh: 0 })
        };
    }
    let mut desk = Desk::open(tx, &order, invoice, actor).await?;
    let mut all = before;
    let already = all.len();
    for due in missing {
        all.extend(desk.write(tx, &order, due).await?);
    }
    let fresh = all.len() - already;
    Ok(Issued { all, fresh })
}

/// What all documents of one order share.
struct Desk<'a> {
    settings: InvoiceSettings,
    seller: super::model::Seller,
    language: Language,
    dates: super::model::Dates,
    invoice: Option<Invoice>,
    actor: &'a str,
}

impl<'a> Desk<'a> {
    async fn open(
        tx: &mut WriteTx<'_>,
        order: &OrderView,
        invoice: Option<Invoice>,
        actor: &'a str,
    ) -> Result<Self, InvoiceError> {
        let store = settings::current(tx).await?;
        let settings = queries::settings(tx).await?;
        let seller = settings.seller(&store.name, &store.contact_email).map_err(InvoiceError::Seller)?;
        let placed_at = order.placed_at.unwrap_or(order.created_at);
        let dates = queries::dates(tx, placed_at, &store.time_zone).await?;
        // A credit note speaks the language of what it corrects.
        let language = match &invoice {
            Some(invoice) => invoice.document.language,
            None => Language::of(&store.locale),
        };
        Ok(Self { settings, seller, language, dates, invoice, actor })
    }

    async fn write(
        &mut self,
        tx: &mut WriteTx<'_>,
        order: &OrderView,
        due: Due,
    ) -> Result<Option<Invoice>, InvoiceError> {
        let (seller, language, dates) = (self.seller.clone(), self.language, self.dates);
        let document = match (due, &self.invoice) {
            (Due::Invoice, _) => Some(of_order(order, seller, language, dates)?),
            (Due::Refund(_) | Due::Cancellation, None) => return Err(InvoiceError::NotDue),
            (Due::Refund(id), Some(invoice)) => {
                let refund = order.refunds.iter().find(|refund| refund.id == id);
                let refund = refund.ok_or(InvoiceError::DoesNotAddUp)?;
                Some(of_refund(order, refund, &invoice.name, seller, language, dates)?)
            }
            (Due::Cancellation, Some(invoice)) => {
                of_cancellation(order, &invoice.name, seller, language, dates)?
            }
        };
        let Some(document) = document else { return Ok(None) };
        let invoice = self.keep(tx, order.id, due, document).await?;
        if due == Due::Invoice {
            self.invoice = Some(invoice.clone());
        }
        Ok(Some(invoice))
    }

    /// Numbers a document, keeps it and states it.
    async fn keep(
        &self,
        tx: &mut WriteTx<'_>,
        order: OrderId,
        due: Due,
        mut document: Document,
    ) -> Result<Invoice, InvoiceError> {
        let kind = if due == Due::Invoice { InvoiceKind::Invoice } else { InvoiceKind::CreditNote };
        if let Some(invoice) = &self.invoice {
            // Whoever was invoiced is credited, whatever became of the order's addresses since.
            document.buyer = invoice.document.buyer.clone();
            document.delivered_to = invoice.document.delivered_to.clone();
        }
        // Last, because everybody else who issues waits from here to the commit.
        let number = queries::next_number(tx, kind).await?;
        let invoice = Invoice {
            id: InvoiceId::new(),
            kind,
            number,
            name: format!("{}{number}", self.settings.prefix(kind)),
            order,
            refund: if let Due::Refund(refund) = due { Some(refund) } else { None },
            corrects: self.invoice.as_ref().map(|invoice| invoice.id),
            issued_at: tx.now(),
            document,
        };
        queries::insert(tx, &invoice, serde_json::to_value(&invoice.document)?, self.actor).await?;
        emit(tx, &InvoiceIssued::of(&invoice)).await?;
        Ok(invoice)
    }
}

/// What was issued for an order, for whoever knows its secret or placed it. Two statements, one where there is nothing to see.
///
/// # Errors
/// [`InvoiceError::Unknown`] for an order that is not theirs, as for one that there is not.
pub async fn own(
    tx: &mut ReadTx<'_>,
    order: OrderId,
    secret: Option<&LinkSecret>,
    reach: Reach,
) -> Result<Vec<Invoice>, InvoiceError> {
    orders::name_for(tx, order, secret, reach).await?.ok_or(InvoiceError::Unknown)?;
    Ok(queries::of_order(tx, order).await?)
}

/// Issues what is due, where the store wants it to happen by itself; nothing where there is nothing to issue.
///
/// # Errors
/// As [`issue`], but for what is only not due.
pub async fn issue_by_itself(tx: &mut WriteTx<'_>, order: OrderId) -> Result<(), InvoiceError> {
    if !queries::settings(tx).await?.automatic {
        return Ok(());
    }
    match issue(tx, order, BY_ITSELF).await {
        Ok(_) | Err(InvoiceError::NotDue | InvoiceError::Unknown) => Ok(()),
        // The settings cannot be switched on without a seller; whoever took the seller away since is told by the API.
        Err(InvoiceError::Seller(missing)) => {
            tracing::warn!(?missing, %order, "an invoice is due and nobody has said who sells");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The document that goes along with a mail about an order that is paid, or about a refund of it, where the store wants that; issued now if it
/// was not.
///
/// # Errors
/// As [`issue`], but for what is only not due.
pub async fn attachment(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    refund: Option<RefundId>,
) -> Result<Option<InvoiceId>, InvoiceError> {
    if !queries::settings(tx).await?.attach_to_mail {
        return Ok(None);
    }
    let issued = match issue(tx, order, BY_ITSELF).await {
        Ok(issued) => issued.all,
        Err(InvoiceError::NotDue | InvoiceError::Unknown | InvoiceError::Seller(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_wanted = |known: &&Invoice| match refund {
        None => known.kind == InvoiceKind::Invoice,
        Some(refund) => known.refund == Some(refund),
    };
    Ok(issued.iter().find(is_wanted).map(|known| known.id))
}

/// Checks the precondition against the locked row, then replaces all of it.
///
/// # Errors
/// 412 when somebody was faster, 422 for a field.
pub async fn put_settings(
    tx: &mut WriteTx<'_>,
    seen: &IfMatch,
    wish: &PutInvoiceSettings,
) -> Result<InvoiceSettings, InvoiceError> {
    wish.check().map_err(|(pointer, message)| InvoiceError::Field(pointer, message))?;
    let now = queries::lock_settings(tx).await?;
    seen.check(&now.etag()).map_err(InvoiceError::Precondition)?;
    Ok(queries::put_settings(tx, wish).await?)
}
