# SPDX-License-Identifier: GPL-3.0-or-later
"""What the conversation decides, with neither socket nor thread: messages in, actions out."""

from dataclasses import replace
from pathlib import Path

import pytest

from confiner_blender.client.errors import ClientError, Hop
from confiner_blender.client.session.actions import (
    Action,
    Deliver,
    Send,
    SendStructure,
    StoreFrame,
    StorePart,
    StorePreview,
    StoreTake,
)
from confiner_blender.client.session.conversation import REWINDS, Conversation
from confiner_blender.client.session.inbox import EventArrived, FrameStored, MessageArrived, StoringFailed, TakeStored
from confiner_blender.protocol.errors import MalformedMessage
from confiner_blender.protocol.framing import Image, ImageKind
from confiner_blender.protocol.messages import (
    Accepted,
    Attach,
    Cancel,
    Cancelled,
    Finished,
    Forget,
    GetStatus,
    Hello,
    Jobs,
    PreviewReady,
    Problem,
    Queued,
    Refused,
    Shutdown,
    Stepped,
    StructureInfo,
    Submit,
    Welcome,
)
from confiner_blender.protocol.version import PROTOCOL_VERSION
from tests.client.sidecar_double import JOB, OTHER_JOB, frame_done, png, request

FOLDER = Path("takes/one")
PROBLEM = Problem("code", "what happened", "what to do")
WELCOME = Welcome(PROTOCOL_VERSION, "server", "cpu")


def ready() -> Conversation:
    conversation = Conversation()
    conversation.received(WELCOME)
    return conversation


def sent(actions: list[Action]) -> list[object]:
    return [action.message for action in actions if isinstance(action, Send)]


def delivered(actions: list[Action]) -> list[object]:
    return [action.message for action in actions if isinstance(action, Deliver)]


def store_all(conversation: Conversation, actions: list[Action]) -> list[Action]:
    """Carry the storing out as a disk that always works would."""
    followed: list[Action] = []
    for action in actions:
        if isinstance(action, StoreFrame):
            path = action.folder / f"{action.event.frame}.png"
            followed += store_all(conversation, conversation.frame_stored(action.event, path))
        elif isinstance(action, StoreTake):
            followed += conversation.take_stored(action.event.job_id, action.folder / "take.json")
        else:
            followed.append(action)
    return followed


def arrive(conversation: Conversation, number: int, frame: int) -> list[Action]:
    """A frame's event and then its picture."""
    actions = conversation.received(frame_done(number, frame))
    image = Image(ImageKind.FRAME, JOB, number, frame, png(frame))
    return store_all(conversation, [*actions, *conversation.pictured(image)])


def test_a_connection_begins_with_hello_and_the_token() -> None:
    assert sent(Conversation().greet("token", "add-on")) == [Hello(PROTOCOL_VERSION, "token", "add-on")]


def test_what_was_wanted_before_the_welcome_is_said_after_it_in_order() -> None:
    conversation = Conversation()
    assert conversation.submit(JOB, request(), (b"one", b"two"), FOLDER) == []
    assert conversation.track(OTHER_JOB, 7, FOLDER) == []
    assert conversation.say(GetStatus()) == conversation.say(GetStatus()) == []
    actions = conversation.received(WELCOME)
    assert [action for action in actions if not isinstance(action, Deliver)] == [
        Send(Submit(JOB, request())),
        SendStructure(JOB, (b"one", b"two")),
        Send(Attach(OTHER_JOB, 7)),
        Send(GetStatus()),
    ]


def test_a_refused_greeting_fails_the_handshake_with_the_sidecars_own_words() -> None:
    with pytest.raises(ClientError) as caught:
        Conversation().received(Refused(PROBLEM))
    assert (caught.value.hop, caught.value.problem) == (Hop.HANDSHAKE, PROBLEM)


def test_a_sidecar_of_another_version_is_left_alone() -> None:
    with pytest.raises(ClientError) as caught:
        Conversation().received(Welcome(PROTOCOL_VERSION + 1, "server", "cpu"))
    assert caught.value.problem.code == "version"
    assert "same release" in caught.value.problem.remedy


def test_nothing_but_an_answer_may_follow_the_greeting() -> None:
    with pytest.raises(MalformedMessage, match="Jobs in answer to Hello"):
        Conversation().received(Jobs([]))


def test_a_take_is_complete_when_the_job_is_finished_and_every_frame_is_stored_and_then_the_job_may_go() -> None:
    conversation = ready()
    conversation.submit(JOB, request(2), (), FOLDER)
    arrive(conversation, 1, 0)
    arrive(conversation, 2, 1)
    actions = store_all(conversation, conversation.received(Finished(JOB, 3, {})))
    assert delivered(actions) == [EventArrived(Finished(JOB, 3, {})), TakeStored(JOB, FOLDER / "take.json")]
    assert sent(actions) == [Forget(JOB)]
    assert conversation.jobs == {}


def test_a_frame_whose_picture_did_not_come_is_asked_for_before_the_take_is_complete() -> None:
    conversation = ready()
    conversation.submit(JOB, request(2), (), FOLDER)
    arrive(conversation, 1, 0)
    conversation.received(frame_done(2, 1))
    assert sent(conversation.received(Finished(JOB, 3, {}))) == [Attach(JOB, 1)]
    arrive(conversation, 2, 1)
    actions = store_all(conversation, conversation.received(Finished(JOB, 3, {})))
    assert delivered(actions) == [TakeStored(JOB, FOLDER / "take.json")]


def test_what_was_on_its_way_before_a_rewind_does_not_end_the_job() -> None:
    conversation = ready()
    conversation.submit(JOB, request(1), (), FOLDER)
    conversation.received(frame_done(1, 0))
    conversation.frame_damaged(frame_done(1, 0), PROBLEM)
    on_its_way = conversation.received(Finished(JOB, 2, {}))
    assert on_its_way == [Deliver(EventArrived(Finished(JOB, 2, {})))]
    conversation.lost()
    assert sent(conversation.received(WELCOME)) == [Attach(JOB, 0)]
    arrive(conversation, 1, 0)
    assert TakeStored(JOB, FOLDER / "take.json") in delivered(
        store_all(conversation, conversation.received(Finished(JOB, 2, {})))
    )


def test_after_a_loss_a_job_is_taken_up_after_its_last_stored_frame() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (), FOLDER)
    arrive(conversation, 1, 0)
    conversation.received(frame_done(2, 1))
    conversation.received(Stepped(JOB, 3, "decode", 1, 1))
    conversation.lost()
    assert sent(conversation.received(WELCOME)) == [Attach(JOB, 1)]


def test_what_is_sent_twice_is_handed_on_once() -> None:
    conversation = ready()
    conversation.track(JOB, 0, FOLDER)
    arrive(conversation, 1, 0)
    conversation.received(frame_done(2, 1))
    conversation.lost()
    conversation.received(WELCOME)
    assert arrive(conversation, 1, 0) == []
    assert delivered(arrive(conversation, 2, 1)) == [FrameStored(JOB, 2, 1, FOLDER / "1.png")]


def test_a_submission_that_no_event_answered_is_repeated_with_its_structure() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (b"one",), FOLDER)
    conversation.received(Accepted(JOB))
    conversation.lost()
    actions = conversation.received(WELCOME)
    assert actions[1:] == [Send(Submit(JOB, request())), SendStructure(JOB, (b"one",))]


def test_a_refused_submission_is_told_and_let_go() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (), FOLDER)
    refused = Refused(PROBLEM, JOB)
    assert delivered(conversation.received(refused)) == [MessageArrived(refused)]
    conversation.lost()
    assert sent(conversation.received(WELCOME)) == []


def test_a_job_whose_structure_is_refused_is_told_and_let_go() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (b"one",), FOLDER)
    conversation.received(Accepted(JOB))
    assert delivered(conversation.received(Refused(PROBLEM, JOB))) == [MessageArrived(Refused(PROBLEM, JOB))]
    assert conversation.jobs == {}


def test_a_refused_cancel_leaves_a_running_job_alone() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (), FOLDER)
    conversation.received(Queued(JOB, 1, 0))
    assert delivered(conversation.received(Refused(PROBLEM, JOB))) == [MessageArrived(Refused(PROBLEM, JOB))]
    assert JOB in conversation.jobs


def test_a_job_that_the_sidecar_lost_is_asked_for_anew_once() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (), FOLDER)
    arrive(conversation, 5, 0)
    conversation.lost()
    conversation.received(WELCOME)
    actions = conversation.received(Refused(PROBLEM, JOB))
    assert sent(actions) == [Submit(JOB, request())]
    assert delivered(actions) == []
    assert EventArrived(Queued(JOB, 1, 0)) in delivered(conversation.received(Queued(JOB, 1, 0)))


def test_a_job_of_an_earlier_session_that_is_unknown_is_told_and_let_go() -> None:
    conversation = ready()
    conversation.track(JOB, 3, FOLDER)
    refused = Refused(PROBLEM, JOB)
    assert delivered(conversation.received(refused)) == [MessageArrived(refused)]
    assert conversation.jobs == {}


def test_a_damaged_frame_is_asked_for_again_and_given_up_in_the_end() -> None:
    conversation = ready()
    conversation.track(JOB, 0, FOLDER)
    arrive(conversation, 1, 0)
    conversation.received(frame_done(2, 1))
    for _ in range(REWINDS):
        assert sent(conversation.frame_damaged(frame_done(2, 1), PROBLEM)) == [Attach(JOB, 1)]
    assert conversation.frame_damaged(frame_done(2, 1), PROBLEM) == [Deliver(StoringFailed(JOB, PROBLEM))]
    assert conversation.jobs == {}


def test_frames_that_are_gone_at_the_end_are_all_asked_for_again_over_a_lost_connection_too() -> None:
    conversation = ready()
    conversation.submit(JOB, request(2), (), FOLDER)
    arrive(conversation, 1, 0)
    arrive(conversation, 2, 1)
    (take,) = [action for action in conversation.received(Finished(JOB, 3, {})) if isinstance(action, StoreTake)]
    assert take.num_frames == 2
    assert sent(conversation.frames_missing(JOB, PROBLEM)) == [Attach(JOB, 0)]
    assert delivered(arrive(conversation, 1, 0)) == [FrameStored(JOB, 1, 0, FOLDER / "0.png")]
    conversation.lost()
    assert sent(conversation.received(WELCOME)) == [Attach(JOB, 1)]
    arrive(conversation, 2, 1)
    done = store_all(conversation, conversation.received(Finished(JOB, 3, {})))
    assert delivered(done) == [TakeStored(JOB, FOLDER / "take.json")]


def test_the_takes_record_says_how_many_frames_a_job_of_an_earlier_session_has() -> None:
    conversation = ready()
    conversation.track(JOB, 0, FOLDER)
    finished = Finished(JOB, 1, {"request": {"num_frames": 5}})
    assert conversation.received(finished)[1:] == [StoreTake(FOLDER, finished, 5)]


def test_previews_never_hold_anything_up() -> None:
    conversation = ready()
    conversation.track(JOB, 0, FOLDER)
    conversation.received(PreviewReady(JOB, 1, 0))
    conversation.lost()
    assert sent(conversation.received(WELCOME)) == [Attach(JOB, 1)]
    preview = Image(ImageKind.PREVIEW, JOB, 1, 0, b"preview")
    assert conversation.pictured(preview) == [StorePreview(JOB, FOLDER, b"preview")]


def test_a_cancelled_job_is_no_longer_followed() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (), FOLDER)
    assert sent(conversation.cancel(JOB)) == [Cancel(JOB)]
    assert delivered(conversation.received(Cancelled(JOB, 4))) == [EventArrived(Cancelled(JOB, 4))]
    conversation.lost()
    assert sent(conversation.received(WELCOME)) == []


def test_what_is_finished_of_a_cancelled_job_is_recorded_before_its_end_is_told() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (), FOLDER)
    arrive(conversation, 1, 0)
    cancelled = Cancelled(JOB, 2, {"kept": 1})
    assert conversation.received(cancelled) == [StorePart(FOLDER, cancelled)]
    assert conversation.part_stored(cancelled) == [Deliver(EventArrived(cancelled))]
    assert conversation.jobs == {}


def test_a_cancelled_job_is_asked_for_again_and_heard_from_its_beginning() -> None:
    conversation = ready()
    conversation.submit(JOB, request(2), (), FOLDER)
    arrive(conversation, 1, 0)
    conversation.part_stored(Cancelled(JOB, 2, {"kept": 1}))
    conversation.lost()
    conversation.cancel(JOB)
    conversation.submit(JOB, request(2), (), FOLDER)
    assert sent(conversation.received(WELCOME)) == [Submit(JOB, request(2))], "what was said before is outdated"
    arrive(conversation, 1, 0)
    arrive(conversation, 3, 1)
    actions = store_all(conversation, conversation.received(Finished(JOB, 4, {})))
    assert TakeStored(JOB, FOLDER / "take.json") in delivered(actions)


def test_a_job_that_no_sidecar_has_heard_of_is_cancelled_at_once() -> None:
    conversation = Conversation()
    conversation.submit(JOB, request(), (), FOLDER)
    assert conversation.cancel(JOB) == [Deliver(EventArrived(Cancelled(JOB, 0)))]
    assert sent(conversation.received(WELCOME)) == []


def test_a_cancel_without_a_connection_reaches_the_sidecar_later() -> None:
    conversation = ready()
    conversation.submit(JOB, request(), (), FOLDER)
    conversation.lost()
    assert conversation.cancel(JOB) == []
    assert sent(conversation.received(WELCOME)) == [Submit(JOB, request()), Cancel(JOB)]


def test_structure_frames_are_held_until_the_sidecar_has_them() -> None:
    conversation = ready()
    conversation.submit(JOB, replace(request(), structure=StructureInfo(3, 64, 64)), (b"one",), FOLDER)
    conversation.received(Queued(JOB, 1, 0))
    assert conversation.jobs[JOB].structure == ()
    conversation.lost()
    assert sent(conversation.received(WELCOME)) == [Attach(JOB, 1)]
    assert delivered(conversation.received(Refused(PROBLEM, JOB))) == [MessageArrived(Refused(PROBLEM, JOB))]
    assert conversation.jobs == {}


def test_jobs_of_others_and_pictures_nobody_announced_are_let_go() -> None:
    conversation = ready()
    conversation.track(JOB, 0, FOLDER)
    assert conversation.received(frame_done(1, 0, OTHER_JOB)) == []
    assert conversation.pictured(Image(ImageKind.FRAME, OTHER_JOB, 1, 0, b"x")) == []
    assert conversation.pictured(Image(ImageKind.FRAME, JOB, 9, 0, b"x")) == []


def test_tracking_a_followed_job_only_moves_its_folder() -> None:
    conversation = ready()
    conversation.track(JOB, 0, FOLDER)
    elsewhere = Path("takes/elsewhere")
    assert conversation.track(JOB, 0, elsewhere) == []
    conversation.received(frame_done(1, 0))
    (store,) = conversation.pictured(Image(ImageKind.FRAME, JOB, 1, 0, png(0)))
    assert isinstance(store, StoreFrame)
    assert store.folder == elsewhere


def test_a_refused_forget_is_of_no_interest() -> None:
    conversation = ready()
    conversation.track(JOB, 0, FOLDER)
    store_all(conversation, conversation.received(Finished(JOB, 1, {})))
    assert conversation.received(Refused(PROBLEM, JOB)) == []


def test_after_a_shutdown_nobody_looks_for_another_sidecar() -> None:
    conversation = ready()
    assert sent(conversation.say(Shutdown())) == [Shutdown()]
    assert conversation.shutting_down


def test_a_shutdown_without_a_connection_ends_no_later_sidecar() -> None:
    conversation = Conversation()
    conversation.say(Shutdown())
    assert conversation.shutting_down
    assert sent(conversation.received(WELCOME)) == []
