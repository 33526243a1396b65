//! `souk-generate`: writes the files that are made from the code. `souk-generate --check` only says which ones differ.

use anyhow::bail;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let check = std::env::args().nth(1).is_some_and(|word| word == "--check");
    let mut stale = Vec::new();
    for file in souk_proofs::generated::all().await? {
        let path = souk_proofs::generated::root().join(file.path);
        if std::fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        stale.push(file.path);
        if !check {
            std::fs::write(&path, &file.text)?;
            println!("wrote {}", file.path);
        }
    }
    if check && !stale.is_empty() {
        bail!("made from the code and out of date: {}; run `make generate`", stale.join(", "));
    }
    Ok(())
}
