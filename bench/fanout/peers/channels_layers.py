"""Django with one of the two layers of channels_redis, told by CHANNEL_LAYER: `core` or `pubsub`."""

import os

import django
from django.conf import settings

BACKENDS = {
    "core": "channels_redis.core.RedisChannelLayer",
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}

settings.configure(
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": BACKENDS[os.environ["CHANNEL_LAYER"]],
            # The core layer waits 5 seconds for a message, and by itself redis-py 8 gives up after 5.
            "CONFIG": {"hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": None}]},
        }
    }
)
django.setup()
