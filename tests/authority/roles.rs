//! Proof (a): the tables of authority are the committed ones.

use souk_proofs::generated;

#[tokio::test]
async fn the_generated_files_are_the_committed_ones() {
    let stale: Vec<&str> = generated::all()
        .await
        .expect("policies that load")
        .into_iter()
        .filter(|file| {
            std::fs::read_to_string(generated::root().join(file.path)).ok().as_ref() != Some(&file.text)
        })
        .map(|file| file.path)
        .collect();
    assert!(
        stale.is_empty(),
        "made from the code and out of date: {stale:?}; run `make generate` and read the diff"
    );
}
