//! The shipped catalog loads, is whole and is found by the names people use.

use bursar::catalog::Catalog;

#[test]
fn the_shipped_tables_hold_what_they_promise() {
    let catalog = Catalog::embedded();
    assert!(catalog.models.len() >= 70, "{} models", catalog.models.len());
    assert!(catalog.gpus.len() >= 60, "{} accelerators", catalog.gpus.len());
    assert!(catalog.offers.len() >= 100, "{} offers", catalog.offers.len());
    assert!(catalog.apis.len() >= 150, "{} hosted models", catalog.apis.len());
    assert_eq!(catalog.sha256.len(), 64);
}
