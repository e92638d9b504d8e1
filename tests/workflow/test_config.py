"""The configuration that is shipped is the schema's defaults, and its page has every key."""

import yaml
from conftest import ROOT
from snakemake.utils import validate


def _defaults():
    config = {}
    validate(config, str(ROOT / "workflow" / "schemas" / "config.schema.yaml"))
    return config


def test_config_yaml_holds_the_defaults():
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    defaults = _defaults()
    for key, value in shipped.items():
        assert defaults[key] == value, key


def test_every_key_is_on_the_page():
    page = (ROOT / "config" / "README.md").read_text()
    for key, value in _defaults().items():
        if f"`{key}.*`" in page or f"`{key}`" in page:
            continue
        for name in value:
            assert f"{key}.{name}`" in page or f"`.{name}`" in page or f"{key}.{name}.*" in page, (
                f"{key}.{name}"
            )
