"""What installs the add-in: valid, small enough for Word's limits, and every address in it answers."""

import io
import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from serving.access.settings import AccessSettings
from serving.addin.manifests import ADDIN_ID, Listing, json_manifest, xml_manifest
from serving.app import create_app
from serving.settings import ServingSettings
from tests.conftest import missing
from tests.serving.conftest import OPEN

PUBLIC = "https://copydesk.test"
LISTING = Listing(PUBLIC, "copydesk.test", "0.1.0")
SCHEMA = (
    Path(__file__).parents[1]
    / "js/node_modules/@microsoft/app-manifest/build/json-schemas/teams/v1.30/MicrosoftTeams.schema.json"
)
OFFICE_APP = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
OVERRIDES = "{http://schemas.microsoft.com/office/taskpaneappversionoverrides}"
BASIC = "{http://schemas.microsoft.com/office/officeappbasictypes/1.0}"
ORDER = [
    "Id", "Version", "ProviderName", "DefaultLocale", "DisplayName", "Description", "IconUrl", "HighResolutionIconUrl",
    "SupportUrl", "AppDomains", "Hosts", "Requirements", "DefaultSettings", "Permissions", "VersionOverrides",
]  # fmt: skip


@pytest.fixture
def client():
    with TestClient(create_app(ServingSettings(public_url=PUBLIC), OPEN), base_url=PUBLIC) as client:
        yield client


def errors(manifest: object) -> list[str]:
    if not SCHEMA.exists():
        missing("the manifest's schema", "npm ci --prefix tests/serving/js")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


def test_the_unified_manifest_is_of_its_schema():
    assert errors(json_manifest(LISTING)) == []
    broken = json.loads(json.dumps(json_manifest(LISTING)).replace('"supertip"', '"supertips"'))
    assert errors(broken)


def test_the_xml_has_its_parts_in_their_order():
    root = ElementTree.fromstring(xml_manifest(LISTING))
    assert root.tag == f"{OFFICE_APP}OfficeApp"
    assert [re.sub(r"\{.*\}", "", child.tag) for child in root] == ORDER
    assert root.findtext(f"{OFFICE_APP}Version") == "0.1.0.0"
    requirement = root.find(f".//{OFFICE_APP}Set")
    assert requirement is not None
    assert requirement.attrib == {"Name": "WordApi", "MinVersion": "1.3"}


def test_every_resource_of_the_xml_is_there_once_and_short_enough():
    root = ElementTree.fromstring(xml_manifest(LISTING))
    used = {element.attrib["resid"] for element in root.iter() if "resid" in element.attrib}
    resources = root.find(f".//{OVERRIDES}Resources")
    assert resources is not None
    given = [element for kind in resources for element in kind]
    assert sorted(element.attrib["id"] for element in given) == sorted(used)
    assert all(len(name) <= 32 for name in used)
    longest = {f"{BASIC}ShortStrings": 125, f"{BASIC}LongStrings": 250}
    for kind in resources:
        assert all(len(one.attrib["DefaultValue"]) <= longest.get(kind.tag, 2048) for one in kind)


def test_both_manifests_are_of_the_same_add_in():
    assert ElementTree.fromstring(xml_manifest(LISTING)).findtext(f"{OFFICE_APP}Id") == ADDIN_ID
    assert json_manifest(LISTING)["id"] == ADDIN_ID


def test_every_address_in_them_answers(client):
    text = client.get("/addin/manifest.xml").text + json.dumps(json_manifest(LISTING))
    urls = {url for url in re.findall(r'https://[^"<]+', text) if url.startswith(PUBLIC)}
    assert len(urls) >= 6
    assert {url: client.get(url).status_code for url in urls if client.get(url).status_code != 200} == {}


@pytest.mark.parametrize("size", [16, 32, 64, 80, 128, 192])
def test_icons_have_their_size_and_may_be_kept(client, size):
    answer = client.get(f"/addin/icons/icon-{size}.png")
    assert Image.open(io.BytesIO(answer.content)).size == (size, size)
    assert answer.headers["cache-control"] == "public, max-age=86400"


def test_the_package_has_the_manifest_and_its_icons(client):
    answer = client.get("/addin/manifest.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        manifest = json.loads(package.read("manifest.json"))
        pictures = [Image.open(io.BytesIO(package.read(name))) for name in manifest["icons"].values()]
    assert manifest["validDomains"] == ["copydesk.test"]
    assert sorted(picture.size for picture in pictures) == [(32, 32), (192, 192)]


@pytest.mark.parametrize("name", ["manifest.xml", "manifest.zip"])
def test_without_an_address_the_way_out_is_told(name):
    with TestClient(create_app(ServingSettings(), AccessSettings()), base_url="http://localhost") as client:
        answer = client.get(f"/addin/{name}")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-public-url")
    assert "set PUBLIC_URL" in answer.json()["detail"]


def test_an_address_without_https_is_refused():
    with pytest.raises(ValueError, match="over https only"):
        ServingSettings(public_url="http://copydesk.test")
