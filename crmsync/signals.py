"""The signals crmsync sends; receivers are called with ``send_robust``, so they cannot break the sync."""

from django.dispatch import Signal

# sender: the local model class. kwargs: mapping_id, local_pk, remote_id, fields (list of local paths).
post_pull = Signal()
# sender: the local model class. kwargs: mapping_id, local_pk, remote_id, fields (list of property names).
post_push = Signal()
# sender: the local model class. kwargs: mapping_id, local_pk, remote_id, field, winner ("" asks a person), rule.
conflict_detected = Signal()
# sender: models.Portal. kwargs: portal_id, state, reason.
portal_state_changed = Signal()
