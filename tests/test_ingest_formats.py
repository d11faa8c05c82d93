"""Rows of the published files, some columns cut off: dams of federal, state, local and utility owners only."""

import csv
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats import FORMATS, Column, Parser
from ingest.record import DamRecord, Refusal, Row
from models.vocabulary import DamType, Hazard, OwnerType, Purpose

# ruff: noqa: E501
OF_2013 = """\
Dam_Name,Other_Dam_Name,NID_ID,Other_Structure_ID,Longitude,Latitude,County,River,Owner_Type,Dam_Type,Primary_Purpose,All_Purposes,Year_Completed,NID_Height,NID_Storage,Drainage_Area,State,Submit_Date
BOR DEER CREEK,,UT10117,,-111.5266,40.4066,WASATCH,PROVO RIVER,Federal,Earth,Irrigation,Irrigation,1941,235.0,158200.0,545.0,UT,02\\06\\2013
SOLOMON GULCH SPILLWAY,,AK00027,S001,-146.2975,61.0725,VALDEZ,NONE,Public Utility,Gravity,Hydroelectric,"Recreation, Fire Protection, Stock, Or Small Fish Pond, Hydroelectric",1981,55.0,0.0,,AK,
"""
OF_2018 = """\
recordid,dam_name,nidid,longitude,latitude,county,owner_type,dam_type,purposes,year_completed,nid_height,max_storage,nid_storage,hazard,state
83999,JORDANELLE,UT10204,-111.4246,40.5978,WASATCH,F,RE,S,1993,391.0,363354.0,363354.0,H,UT
4149,PARDEE,CA00164,-120.85,38.2571,"AMADOR, CALAVERAS",U,CNPG,FHRS,1929,351.5,198000.0,198000.0,H,CA
4150,PARDEE SOUTH SPILLWAY,CA00164,-120.8465,38.2527,"AMADOR, CALAVERAS",U,CN,FHRS,,10.0,198000.0,0.0,N,CA
69680,RIO \xa0BLANCO DAM,PR00078,,18.2214,NAGUABO,U,RE,S,2009,64.0,0.0,3845.4,H,PR
"""
OF_2024 = """\
name,otherNames,formerNames,nidId,otherStructureId,federalId,ownerNames,ownerTypeIds,primaryOwnerTypeId,primaryPurposeId,purposeIds,latitude,longitude,state,county,riverName,primaryDamTypeId,damTypeIds,nidHeight,yearCompleted,nidStorage,drainageArea,hazardId
"G.V. ""Sonny"" Montgomery Lock and Dam - Spillway",Pool E,Locke,MS03604,S001,MS03604S001,USACE - Mobile District,Federal,Federal,Navigation,Navigation;Recreation,34.466371388,-88.364324231,Mississippi,Prentiss,TOMBIGBEE,Gravity,Gravity;Earth,52.0,1984,7700.0,,Significant
Arkabutla Dam,Arkabutla Lake,,MS01496,,MS01496,USACE - Vicksburg District,Federal,Federal,Flood Risk Reduction,Flood Risk Reduction;Recreation,34.759213946,-90.123745353,Mississippi,DeSoto, COLDWATER  RIVER,Earth,Earth,92.0,1943,1383800.0,1000.0,High
"""
BY_NAME = """\
NAME,Owner,River,Date Built,LNG,Lat,height ft,hazard,remark
Deer Creek,Reclamation,Provo River,"April 12, 1993",-111.5278,40.4072,235,High,big
Vaiont,,,1959-10,12.329,46.267,859,,
"""


def parsed(text: str) -> list[Row | Refusal]:
    header, *rows = csv.reader(text.splitlines())
    parser = Parser(header)
    return [parser.parse(line, cells) for line, cells in enumerate(rows, start=2)]


def test_rows_of_2013() -> None:
    deer_creek, spillway = parsed(OF_2013)
    assert deer_creek == Row(
        2,
        DamRecord(
            name="BOR DEER CREEK",
            owner_types=(OwnerType.FEDERAL,),
            river="PROVO RIVER",
            built_first_day=date(1941, 1, 1),
            built_last_day=date(1941, 12, 31),
            longitude=-111.5266,
            latitude=40.4066,
            external_id="UT10117",
            state="UT",
            county="WASATCH",
            height_ft=235.0,
            storage_acre_ft=158200.0,
            drainage_area_sq_mi=545.0,
            purposes=(Purpose.IRRIGATION,),
            dam_types=(DamType.EARTH,),
        ),
    )
    assert isinstance(spillway, Row)
    assert (spillway.record.external_id, spillway.record.structure_id) == ("AK00027", "S001")
    assert (spillway.record.river, spillway.record.storage_acre_ft) == (None, None)
    assert spillway.record.purposes == (
        Purpose.HYDROELECTRIC,
        Purpose.RECREATION,
        Purpose.FIRE_STOCK_OR_FARM_POND,
    )


def test_rows_of_2018() -> None:
    jordanelle, pardee, spillway, nowhere = parsed(OF_2018)
    assert jordanelle == Row(
        2,
        DamRecord(
            name="JORDANELLE",
            owner_types=(OwnerType.FEDERAL,),
            built_first_day=date(1993, 1, 1),
            built_last_day=date(1993, 12, 31),
            longitude=-111.4246,
            latitude=40.5978,
            external_id="UT10204",
            state="UT",
            county="WASATCH",
            height_ft=391.0,
            storage_acre_ft=363354.0,
            purposes=(Purpose.WATER_SUPPLY,),
            dam_types=(DamType.EARTH,),
            hazard=Hazard.HIGH,
        ),
    )
    assert isinstance(pardee, Row)
    assert isinstance(spillway, Row)
    assert (pardee.record.structure_id, spillway.record.structure_id) == ("", "R4150")
    assert pardee.record.dam_types == (DamType.CONCRETE, DamType.GRAVITY)
    assert (spillway.record.hazard, spillway.record.storage_acre_ft) == (None, None)
    assert nowhere == Refusal(5, "Location is missing.")


def test_rows_of_2021_and_later() -> None:
    spillway, arkabutla = parsed(OF_2024)
    assert isinstance(spillway, Row)
    assert (spillway.record.external_id, spillway.record.structure_id) == ("MS03604", "S001")
    assert spillway.record.other_names == ("Pool E", "Locke")
    assert arkabutla == Row(
        3,
        DamRecord(
            name="Arkabutla Dam",
            other_names=("Arkabutla Lake",),
            owner="USACE - Vicksburg District",
            owner_types=(OwnerType.FEDERAL,),
            river="COLDWATER RIVER",
            built_first_day=date(1943, 1, 1),
            built_last_day=date(1943, 12, 31),
            longitude=-90.123745353,
            latitude=34.759213946,
            external_id="MS01496",
            state="MS",
            county="DeSoto",
            height_ft=92.0,
            storage_acre_ft=1383800.0,
            drainage_area_sq_mi=1000.0,
            purposes=(Purpose.FLOOD_RISK_REDUCTION, Purpose.RECREATION),
            dam_types=(DamType.EARTH,),
            hazard=Hazard.HIGH,
        ),
    )


def test_columns_by_name_whatever_their_case_and_blanks() -> None:
    assert parsed(BY_NAME) == [
        Row(
            2,
            DamRecord(
                name="Deer Creek",
                owner="Reclamation",
                river="Provo River",
                built_first_day=date(1993, 4, 12),
                built_last_day=date(1993, 4, 12),
                longitude=-111.5278,
                latitude=40.4072,
                height_ft=235.0,
                hazard=Hazard.HIGH,
            ),
        ),
        Row(
            3,
            DamRecord(
                name="Vaiont",
                built_first_day=date(1959, 10, 1),
                built_last_day=date(1959, 10, 31),
                longitude=12.329,
                latitude=46.267,
                height_ft=859.0,
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("text", "name", "ignored"),
    [
        pytest.param(OF_2013, "National Inventory of Dams, 2013", ["Submit_Date"], id="2013"),
        pytest.param(OF_2018, "National Inventory of Dams, 2018", ["recordid", "max_storage"], id="2018"),
        pytest.param(OF_2024, "National Inventory of Dams, 2021 and later", [], id="2021 and later"),
        pytest.param(BY_NAME, "columns by name", ["remark"], id="by name"),
    ],
)
def test_a_format_is_known_by_its_header(text: str, name: str, ignored: list[str]) -> None:
    parser = Parser(next(csv.reader(text.splitlines())))
    assert (parser.format.name, parser.ignored) == (name, ignored)


def test_columns_without_a_header_are_passed_over() -> None:
    text = "external_id,name,longitude,latitude,structure_id,\nA1,Weiss,-85.7,34.2,,x\nA1,Dike,-85.7,34.2,S001,x\n"
    assert [row.record.structure_id for row in parsed(text) if isinstance(row, Row)] == ["", "S001"]


@pytest.mark.parametrize("column", [pytest.param(c, id=f"{f.name} {c.headers}") for f in FORMATS for c in f.columns])
def test_every_column_fills_fields_of_a_record(column: Column) -> None:
    assert set(column.fields) <= set(DamRecord.__slots__)


HEADERS = [list(dict.fromkeys(h.split("|")[0] for c in f.columns for h in c.headers)) for f in FORMATS]
CELLS = st.one_of(
    st.text(), st.sampled_from(["", "0", "1941", "-1e3", "Earth;X", "2-Jan", "HRS", "UT", "\x00", "CAÃ±ON"])
)


@given(st.data(), st.sampled_from(HEADERS))
def test_a_row_of_anything_is_read_or_refused(data: st.DataObject, header: list[str]) -> None:
    coordinates = {name: "12.5" for name in header if name.lower() in {"longitude", "latitude"}}
    row = Parser([*header, "recordid"]).parse(
        2, [coordinates.get(name) or data.draw(CELLS) for name in [*header, "recordid"]]
    )
    if isinstance(row, Row):
        texts = [row.record.name, row.record.river, row.record.county, row.record.external_id, *row.record.other_names]
        assert all(text is None or (0 < len(text) <= 200 and "\0" not in text) for text in texts)
    else:
        assert row.reason.endswith(".")
