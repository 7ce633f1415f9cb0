"""A wire-level fake of Slack: a real HTTP and WebSocket server that the real slack_bolt and slack_sdk connect to."""

from tests.platforms.slack.deliveries import Delivery
from tests.platforms.slack.fake import FakeSlack
from tests.platforms.slack.wire import ApiCall
from tests.platforms.slack.world import Channel, FakeFile, Group, Message, Notification, User

__all__ = ["ApiCall", "Channel", "Delivery", "FakeFile", "FakeSlack", "Group", "Message", "Notification", "User"]
