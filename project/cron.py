"""What runs by the clock; read once by ``manage.py rqcron project.cron``."""

from crmsync import jobs

jobs.schedule()
