from baseplane.api.bodies import Body, Text
from baseplane.resources.regions import RegionCode


class SetUpReadReplicaBody(Body):
    read_replica_region: RegionCode


class RemoveReadReplicaBody(Body):
    database_identifier: Text
