#![allow(clippy::unwrap_used, missing_docs)]
#[test]
fn engine_starts() {
    for _ in 0..3 {
        let t = std::time::Instant::now();
        let e = access::Engine::new().unwrap();
        println!("{} {:?}", e.needs(access::Act::OverrideCreate), t.elapsed());
    }
}
