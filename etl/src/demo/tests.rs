//! What must hold of a whole city.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::table::Table;
use super::*;

/// A city's tables, generated once for all tests.
fn tables(city: City) -> &'static BTreeMap<&'static str, Table> {
    static CITIES: [OnceLock<BTreeMap<&'static str, Table>>; 2] = [OnceLock::new(), OnceLock::new()];
    let place = City::ALL.iter().position(|known| *known == city).expect("a known city");
    CITIES[place].get_or_init(|| generate_tables(city))
}

fn generate_tables(city: City) -> BTreeMap<&'static str, Table> {
    let mut tables = BTreeMap::new();
    with_world(city, Size::Small, 1, &mut |_, _, _| (), |world, progress| {
        records::each::<DemoError>(world, progress, |table| {
            tables.insert(table.id, table);
            Ok(())
        })
    })
    .expect("generated");
    tables
}

#[test]
fn a_city_fills_its_tables() {
    let tables = tables(City::Ibague);
    assert_eq!(tables.len(), records::ids().count());
    for (id, table) in tables {
        assert!(!table.rows.is_empty(), "{id} is empty");
    }
}
