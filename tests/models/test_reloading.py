"""A model whose weights are replaced while it serves, against servers of vLLM's and SGLang's documented form."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from regreen.errors import InfrastructureError, InputError
from regreen.models import Request, endpoint
from regreen.models.shipped import folder_of
from tests.models.engines import Engine, SglangServer, VllmServer, checkpoint
from tests.models.servers import Reply, error

pytest.importorskip("openai")

from regreen.models.reloading import ReloadingModel

ENGINES: dict[str, type[Engine]] = {"vllm": VllmServer, "sglang": SglangServer}
ASK = Request("def add(a, b):\n", seed=1)
LOADING = {"vllm": "/collective_rpc", "sglang": "/update_weights_from_disk"}


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(endpoint, "_FIRST_WAIT", 0.02)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def model_of(server: Engine, engine: str, **options: Any) -> ReloadingModel:
    return ReloadingModel("toy", engine=engine, base_url=server.base_url, **{"tries": 2, **options})  # type: ignore[arg-type]


def said(model: ReloadingModel, *requests: Request) -> list[str]:
    return [completion.text for completion in asyncio.run(model.sample(requests or [ASK]))]


def reload(model: ReloadingModel, folder: Path) -> None:
    asyncio.run(model.reload(folder))


# ---- it serves the new weights ----


def test_after_a_reload_the_new_weights_answer_and_nothing_cached_by_the_old(engine: str, tmp_path: Path) -> None:
    with ENGINES[engine]() as server:
        model = model_of(server, engine)
        assert said(model) == ["first first"]
        for weights in ("second", "third"):
            reload(model, checkpoint(tmp_path / weights, weights))
            assert said(model) == [f"{weights} {weights}"]
            assert model.facts["weights"] == str((tmp_path / weights).resolve())
        assert model.facts["reloads"] == 2
        assert model.facts["engine"] == engine


def test_the_name_asked_for_is_the_one_under_which_the_new_weights_are_served(engine: str, tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "new", "second")
    with ENGINES[engine]() as server:
        model = model_of(server, engine)
        reload(model, folder)
        said(model)
        assert server.asked[-1].body["model"] == (str(folder.resolve()) if engine == "sglang" else "toy")


def test_a_name_that_nobody_can_tell_is_an_error(engine: str, tmp_path: Path) -> None:
    listed = Reply({"data": [{"id": "a"}, {"id": "b"}]})
    folder, says = checkpoint(tmp_path / "new", "second"), "lists a, b after the reload, and not toy"
    with ENGINES[engine](hitch={"/v1/models": [listed]}) as server, pytest.raises(InputError, match=says):
        reload(model_of(server, engine), folder)


def test_a_link_is_followed_since_it_will_name_another_checkpoint(engine: str, tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "step-000050", "second")
    (tmp_path / "last").symlink_to("step-000050")
    with ENGINES[engine]() as server:
        model = model_of(server, engine)
        reload(model, tmp_path / "last")
        assert model.facts["weights"] == str(whole.resolve())


def test_no_sample_is_written_by_two_sets_of_weights(engine: str, tmp_path: Path) -> None:
    """Samples fill every slot, before and behind the reload, from a loop of their own."""
    requests = [Request(f"prompt {number}", seed=number) for number in range(12)]
    folder = checkpoint(tmp_path / "new", "second")
    with ENGINES[engine](slow=0.1) as server:
        model = model_of(server, engine, parallel=3)
        said(model)
        texts: list[str] = []
        sampling = threading.Thread(target=lambda: texts.extend(said(model, *requests)))
        sampling.start()
        with server.changed:
            assert server.changed.wait_for(lambda: server.writing, timeout=20)
        reload(model, folder)
        sampling.join()
    assert set(texts) == {"first first", "second second"}


def test_a_batch_fills_every_slot_of_the_server(engine: str) -> None:
    with ENGINES[engine](slow=0.3) as server:
        model = model_of(server, engine, parallel=4)
        said(model, *(Request(f"prompt {number}", seed=number) for number in range(model.batch)))
        assert server.most == 4


def test_a_checkpoint_of_ours_is_one(engine: str) -> None:
    place = folder_of("tiny-base")
    with ENGINES[engine](hitch={LOADING[engine]: [Reply({"success": True})]}) as server:
        model = model_of(server, engine)
        reload(model, place)
        assert model.facts["weights"] == str(place.resolve())


# ---- what may fail ----


def test_a_failure_that_passes_is_tried_again(engine: str, tmp_path: Path) -> None:
    with ENGINES[engine](hitch={LOADING[engine]: [error(503, "busy")]}) as server:
        model = model_of(server, engine)
        reload(model, checkpoint(tmp_path / "new", "second"))
        assert said(model) == ["second second"]
        assert server.controls.count(LOADING[engine]) == 2


def test_an_engine_that_hangs_is_named_and_a_later_reload_mends_it(engine: str, tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "new", "second")
    with ENGINES[engine](hitch={LOADING[engine]: [Reply({}, delay=1.0)] * 2}) as server:
        model = model_of(server, engine, timeout=0.2)
        with pytest.raises(InfrastructureError, match=f"{LOADING[engine]}: no usable answer .* within 0.2 s") as raised:
            reload(model, folder)
        assert ("stays paused" in str(raised.value)) == server.paused == (engine == "vllm")
        assert "\n" not in str(raised.value)
        assert model.facts["reloads"] == 0
        reload(model, folder)
        assert said(model) == ["second second"]


def test_a_server_that_is_gone_is_named(engine: str, tmp_path: Path) -> None:
    model = ReloadingModel("toy", engine=engine, base_url="http://127.0.0.1:9/v1", tries=2)  # type: ignore[arg-type]
    with pytest.raises(InfrastructureError, match=r"http://127.0.0.1:9/\w+.*no usable answer after 2 tries"):
        reload(model, checkpoint(tmp_path / "new", "second"))


def test_an_engine_without_the_endpoint_says_how_to_start_it(engine: str, tmp_path: Path) -> None:
    with Engine() as server, pytest.raises(InputError) as raised:
        reload(model_of(server, engine), checkpoint(tmp_path / "new", "second"))
    flag = {"vllm": "start vLLM with VLLM_SERVER_DEV_MODE=1", "sglang": "give the base_url of an SGLang server"}[engine]
    assert "not found (404 Not Found)" in str(raised.value)
    assert flag in str(raised.value)
    assert "paused" not in str(raised.value)
    assert len(server.controls) == 1


def test_weights_that_do_not_fit_are_refused_in_the_server_s_words(engine: str, tmp_path: Path) -> None:
    no = Reply({"success": False, "message": "Failed to update weights: shape mismatch"}, status=400)
    with ENGINES[engine](hitch={LOADING[engine]: [no]}) as server:
        with pytest.raises(
            InputError, match=r"refuses to load the weights: 400 Failed to .*: shape mismatch"
        ) as raised:
            reload(model_of(server, engine), checkpoint(tmp_path / "new", "second"))
        assert ("stays paused" in str(raised.value)) == server.paused


def test_an_answer_that_admits_no_success_is_none(engine: str, tmp_path: Path) -> None:
    last = {"vllm": "/reset_prefix_cache", "sglang": LOADING["sglang"]}[engine]
    hitch, says = {last: [Reply({"success": False, "message": "blocks in use"})] * 2}, "success: false, blocks in use"
    with ENGINES[engine](hitch=hitch) as server, pytest.raises(InfrastructureError, match=says):
        reload(model_of(server, engine), checkpoint(tmp_path / "new", "second"))


def test_a_key_that_is_refused_is_said(engine: str, tmp_path: Path) -> None:
    first = {"vllm": "/pause?mode=wait", "sglang": LOADING["sglang"]}[engine]
    hitch = {first: [error(401, "bad key")]}
    with ENGINES[engine](hitch=hitch) as server, pytest.raises(InputError, match="refuses the key"):
        reload(model_of(server, engine), checkpoint(tmp_path / "new", "second"))


def test_a_folder_without_weights_is_refused_before_the_server_is_asked(engine: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with ENGINES[engine]() as server:
        with pytest.raises(InputError, match="no checkpoint; expected a folder with"):
            reload(model_of(server, engine), tmp_path)
        assert server.log == []


def test_an_engine_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match="expected one of vllm, sglang"):
        ReloadingModel("toy", engine="tgi", base_url="http://127.0.0.1:9/v1")  # type: ignore[arg-type]
