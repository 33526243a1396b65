//! Two businesses with stores and everything in them, and the books of both.

use souk_proofs::{Answer, Books, Business, Operation, Person, Platform};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

pub struct Scene {
    pub platform: &'static Platform,
    pub here: Business,
    pub there: Business,
    /// Somebody with an account and nothing else.
    pub stranger: Person,
}

/// The scene, for one proof at a time: proofs change rows and bring them back.
pub async fn scene() -> (&'static Scene, MutexGuard<'static, ()>) {
    static SCENE: OnceCell<Scene> = OnceCell::const_new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    let scene = SCENE.get_or_init(|| async {
        let platform = Platform::get().await;
        let mut here = Business::open(platform, "mugs").await;
        let there = Business::open(platform, "bowls").await;
        let stranger = Person::new(platform, "stranger").await;
        here.invites(platform, &stranger).await;
        platform.rest();
        // The work in progress ends: from here on nothing happens unasked.
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        Scene { platform, here, there, stranger }
    });
    let scene = scene.await;
    // Dangerous acts ask for a proof of the last 15 minutes; all proofs together take longer.
    let fresh = "UPDATE control.sessions SET proved_at = now()";
    souk_proofs::books::admin(scene.platform.database).await.execute(fresh, &[]).await.expect("sessions");
    (scene, turn)
}

/// After a request that moved money, waits for the provider's webhook, which would change rows under the next request.
pub async fn settle(operation: &Operation, answer: &Answer) {
    let moves_money = ["checkout", "checkoutDraftOrder", "captureOrder", "cancelOrder", "paymentReturn"]
        .contains(&operation.id.as_str());
    if moves_money && answer.status < 400 {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
}

impl Scene {
    /// Whether only a signed-in customer may ask it.
    pub fn is_for_customers(&self, operation: &Operation) -> bool {
        let paths = [
            "/store/v1/account",
            "/store/v1/sessions/{",
            "/store/v1/sessions/current",
            "/store/v1/carts/{id}/customer",
            "/store/v1/orders:claim",
        ];
        let lists = ["listSessions", "endAllSessions", "listOwnOrders"];
        paths.iter().any(|path| operation.path.starts_with(path)) || lists.contains(&operation.id.as_str())
    }

    /// The books of the control plane, of both stores and of the outbox.
    pub async fn books(&self) -> Books {
        let schemas = ["control", self.here.schema.as_str(), self.there.schema.as_str(), "platform"];
        Books::open(self.platform.database, &schemas).await
    }
}
