"""Telling apps what happened to what they sent: each app's endpoint is called with its events, one after the other (contract §9).

Here a worker speaks to servers that strangers chose. So nothing of the bus, the media store or the other lanes may be
imported here: the process that does this needs none of it, and is given none of their secrets.
"""
