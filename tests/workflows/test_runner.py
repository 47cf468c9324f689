from datetime import timedelta

import pytest

from baseplane.errors import Unavailable
from baseplane.runtime import Runtime
from baseplane.workflows import Wait, journal, runner
from tests.workflows.conftest import Trial


async def test_steps_are_done_in_order_and_the_run_is_done(trial: Trial) -> None:
    trial.step("one")
    trial.step("two")
    assert (await trial.run()).state == "done"
    assert trial.seen == ["one", "two"]


async def test_a_step_that_is_done_is_not_done_again(trial: Trial) -> None:
    trial.step("one")
    run_id = await trial.insert()
    await runner.carry_on(trial.rt, run_id)
    await runner.carry_on(trial.rt, run_id)
    assert trial.seen == ["one"]


async def test_a_passing_error_is_tried_again(trial: Trial) -> None:
    async def flaky(_rt: Runtime, _subject: str) -> None:
        trial.seen.append("try")
        if len(trial.seen) < 3:
            raise Unavailable("not now")

    trial.workflow.step()(flaky)
    assert (await trial.run()).state == "done"
    assert trial.seen == ["try"] * 3


async def test_a_final_error_ends_the_run_at_once_with_its_words(trial: Trial) -> None:
    async def hopeless(_rt: Runtime, _subject: str) -> None:
        trial.seen.append("try")
        raise Unavailable("never")

    trial.workflow.step(final=(Unavailable,))(hopeless)
    run = await trial.run()
    assert (run.state, run.cause) == ("failed", "never")
    assert trial.seen == ["try"]
    assert trial.outcomes == [("failed", "never")]


async def test_a_step_that_waits_for_ever_ends_at_its_deadline(trial: Trial) -> None:
    async def await_nothing(_rt: Runtime, _subject: str) -> Wait:
        return Wait(seconds=0.01)

    trial.workflow.step(within=timedelta(seconds=0.1))(await_nothing)
    run = await trial.run()
    assert run.cause == "The step await_nothing did not finish within 0.1 seconds."


async def test_a_deadline_tells_the_error_that_stood_in_the_way(trial: Trial) -> None:
    trial.step("one", within=0.2, fails=Unavailable("the disk is full"))
    assert (await trial.run()).cause == "the disk is full"


async def test_what_was_done_is_undone_last_step_first(trial: Trial) -> None:
    trial.step("one", undo=True)
    trial.step("two", undo=True)
    trial.step("three", undo=True, within=0.1, fails=Unavailable("no"))
    trial.step("four", undo=True)
    await trial.run()
    backwards = [event for event in trial.seen if event.startswith("undo")]
    assert backwards == ["undo three", "undo two", "undo one"]
    assert "four" not in trial.seen


async def test_a_way_back_that_fails_is_told_and_goes_on(trial: Trial) -> None:
    async def stuck(_rt: Runtime, _subject: str) -> None:
        raise Unavailable("will not go")

    async def middle(_rt: Runtime, _subject: str) -> None: ...

    trial.step("one", undo=True)
    trial.workflow.step(undo=stuck)(middle)
    trial.step("three", within=0.1, fails=Unavailable("no"))
    run = await trial.run()
    assert run.cause == "no Undoing middle failed: will not go"
    assert "undo one" in trial.seen


async def test_an_unforeseen_error_is_tried_again_and_told(trial: Trial) -> None:
    trial.step("one", within=0.2, fails=ZeroDivisionError("by zero"))
    assert (await trial.run()).cause == "one failed: ZeroDivisionError: by zero"


@pytest.mark.parametrize("while_waiting", [False, True])
async def test_a_cancelled_run_undoes_itself(trial: Trial, while_waiting: bool) -> None:
    async def ask_to_cancel(rt: Runtime, subject: str) -> Wait | None:
        async with rt.database.connection() as db:
            await journal.request_cancel(db, subject)
        return Wait(seconds=0.01) if while_waiting else None

    trial.step("one", undo=True)
    trial.workflow.step()(ask_to_cancel)
    trial.step("three")
    assert (await trial.run()).state == "cancelled"
    assert trial.seen == ["one", "undo one"]
    assert trial.outcomes == [("cancelled", "")]


async def test_a_step_that_kills_its_worker_again_and_again_fails(trial: Trial) -> None:
    class DeathError(BaseException):
        """The worker dies."""

    trial.step("deadly", undo=True, fails=DeathError())
    run_id = await trial.insert()
    for _ in range(runner.MAX_ATTEMPTS):
        with pytest.raises(DeathError):
            await runner.carry_on(trial.rt, run_id)
    await runner.carry_on(trial.rt, run_id)
    run = await trial.state(run_id)
    assert (run.state, run.cause) == ("failed", "The worker died 5 times in the step deadly.")
    assert trial.seen[-1] == "undo deadly"


async def test_a_way_back_that_kills_its_worker_again_and_again_is_given_up_and_told(
    trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    class DeathError(BaseException):
        """The worker dies."""

    async def deadly(_rt: Runtime, _subject: str) -> None:
        trial.seen.append("deadly")
        raise DeathError

    async def middle(_rt: Runtime, _subject: str) -> None: ...

    trial.step("one", undo=True)
    trial.workflow.step(undo=deadly)(middle)
    trial.step("three", within=0.1, fails=Unavailable("no"))
    run_id = await trial.insert()
    for _ in range(runner.MAX_ATTEMPTS):
        with pytest.raises(DeathError):
            await runner.carry_on(trial.rt, run_id)
    await runner.carry_on(trial.rt, run_id)
    cause = "no Undoing middle was begun 5 times and never came to an end."
    assert trial.outcomes == [("failed", cause)]
    assert trial.seen.count("deadly") == runner.MAX_ATTEMPTS
    assert trial.seen[-1] == "undo one"
    assert "undoing middle is given up" in caplog.text


async def test_a_worker_that_was_superseded_records_nothing(trial: Trial) -> None:
    trial.step("one")
    run_id = await trial.insert()
    async with trial.rt.database.connection() as db:
        early = await journal.claim(db, run_id)
        assert early is not None
        await journal.begin_step(db, early, 0, "one", timedelta(seconds=5))
    await runner.carry_on(trial.rt, run_id)
    async with trial.rt.database.connection() as db:
        for write in (
            journal.begin_step(db, early, 0, "one", timedelta(seconds=5)),
            journal.end_step(db, early, 0, "failed", "late"),
            journal.begin_undo(db, early, "late"),
            journal.begin_undo_step(db, early, 0),
            journal.finish(db, early, "failed", "late"),
        ):
            with pytest.raises(journal.SupersededError):
                await write
    assert (await trial.state(run_id)).state == "done"
