"""One file per subject: the question, the fact, the demand and the judgement together.

Every module here states ``TITLE``, the subject's heading in a report.  It imports nothing that touches the machine,
and no other area.
"""
