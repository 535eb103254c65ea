"""The drawing of a system: applications as boxes, followings as arrows. Only text: no widgets here.

What is to be drawn is in ``model``, who is beside whom in ``branches``, where that is on the screen
in ``layout``, and how it is drawn in ``canvas``. ``choice`` takes what there is room for.
"""
