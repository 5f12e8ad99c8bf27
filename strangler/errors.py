"""Every refusal the kit can make: a stable id, what was found, what is wanted, what to type next.

StranglerError
├── Refused        exit 2: the user's request cannot be carried out as it stands; nothing was changed
└── Unmeasurable   exit 3: the question could not be answered; never to be read as a pass

Ids by subject: S1xx the stack on this machine, S2xx routes and flips, S3xx comparison, S4xx takeover,
S9xx benchmarks.
"""

from typing import ClassVar


class StranglerError(Exception):
    """A fault with a name. `message` says the value found and the value wanted, `next` what to type."""

    id: ClassVar[str]
    exit_code: ClassVar[int]

    def __init__(self, message: str, *, next: str) -> None:  # noqa: A002 - the word the user reads
        super().__init__(message)
        self.message = message
        self.next = next


class Refused(StranglerError):
    """The request cannot be carried out as it stands; nothing was changed."""

    exit_code = 2


class Unmeasurable(StranglerError):
    """The question could not be answered; never to be read as a pass."""

    exit_code = 3


# --- S1xx: the stack on this machine -----------------------------------------------------------------


class NoInstallation(Refused):
    """No directory from here upwards holds `proxy/routes.toml`."""

    id = "S101"


class AlreadyRunning(Refused):
    """The stack of this installation is up."""

    id = "S102"


class PortTaken(Refused):
    """Another process listens where a part of the stack must listen."""

    id = "S103"


class AddressDisagrees(Refused):
    """The environment binds an upstream to one address, the routing table sends to another."""

    id = "S104"


class MigrationFailed(Refused):
    """A database could not be brought to the schema of its code; no part was started."""

    id = "S105"


class PartFailed(Refused):
    """A part of the stack did not come up; all that had started were stopped again."""

    id = "S106"


class NoStackFile(Refused):
    """The list of parts, `supervisord.conf`, is missing or names no part."""

    id = "S107"


class StillRunning(Unmeasurable):
    """The stack was told to stop and has not stopped in time."""

    id = "S108"


class PathTooLong(Refused):
    """A Unix socket of this installation would have a longer path than the system allows."""

    id = "S109"


class BadIdentityKey(Refused):
    """The key that signs who asks is not one that services can check."""

    id = "S110"


class MachineUnreachable(Refused):
    """Another machine's proxy does not answer at its admin address."""

    id = "S111"


class KeyRefused(Refused):
    """Another machine's proxy does not open its admin address to this key."""

    id = "S112"


class NoSecret(Refused):
    """The secret by which the proxy believes a claim is not to be had here."""

    id = "S113"


class MachineDiffers(Refused):
    """Another machine serves another version of the routing table."""

    id = "S114"


class BadMachines(Refused):
    """STRANGLER_PROXIES names no admin addresses, or their key is missing."""

    id = "S115"


class ChangeUndone(Refused):
    """A machine did not take the change, and every other one has taken it back."""

    id = "S116"


class UndoIncomplete(Unmeasurable):
    """A machine did not take the change, and not every one has confirmed that it was taken back."""

    id = "S117"


# --- S2xx: routes and flips --------------------------------------------------------------------------


class BrokenTable(Refused):
    """The routing table cannot be read or breaks a rule."""

    id = "S201"


class UnknownRoute(Refused):
    """No route of this name is in the table."""

    id = "S202"


class StageSkipped(Refused):
    """A flip goes one stage forward; skipping one needs `--skip` and a reason."""

    id = "S203"


class WrongDirection(Refused):
    """`flip` goes forward and `back` goes back."""

    id = "S204"


class NoFurtherStage(Refused):
    """The route stands at the end of the line in the direction asked for."""

    id = "S205"


class ReasonMissing(Refused):
    """A change that skips stages must say why."""

    id = "S206"


class BadPercent(Refused):
    """A share is above 0 and at most 100, in steps of 0.01, and belongs to a canary."""

    id = "S207"


class ServiceUnwell(Refused):
    """The service that would get the route's requests does not answer its health question."""

    id = "S208"


class TableForbids(Refused):
    """The table would break a rule after this change; it was not written."""

    id = "S209"


class ConcurrentChange(Refused):
    """Someone else is changing, or has just changed, the routing table."""

    id = "S210"


class NotAcknowledged(Unmeasurable):
    """The table was changed, and a live proxy worker has not confirmed that it serves it."""

    id = "S211"


class AuditUnusable(Refused):
    """The audit cannot be read or take another line, and no change is made without one."""

    id = "S212"


class TableUnwritable(Refused):
    """The routing table's file cannot be replaced."""

    id = "S213"


class GateRefused(Refused):
    """Comparison found that the service answers otherwise than the monolith."""

    id = "S220"


class GateInconclusive(Unmeasurable):
    """Comparison knows too little to let clients have the service's answers."""

    id = "S221"


# --- S3xx: comparison --------------------------------------------------------------------------------


class NoStore(Unmeasurable):
    """Nothing was compared yet: the comparer has written no store."""

    id = "S301"


class ForeignStore(Refused):
    """The file is not a store of comparisons, or one of another version."""

    id = "S302"


class UnknownComparison(Refused):
    """No comparison of this number or request id is kept."""

    id = "S303"


class UnreadableAnswer(Refused):
    """The file that should hold a raw HTTP response cannot be read."""

    id = "S304"


class SocketTaken(Refused):
    """The comparer's socket is held by a live process, or the path is not a socket."""

    id = "S305"


class NothingCompared(Unmeasurable):
    """The store holds no comparison of what was asked for."""

    id = "S306"


class BrokenRules(Refused):
    """The file of comparison rules cannot be read or says something that no rule can."""

    id = "S307"


class BadCorpus(Refused):
    """The file that should hold requests cannot be read or holds something else."""

    id = "S308"


class NoCredentials(Refused):
    """A role was asked for, and nothing says how it proves who it is."""

    id = "S309"


class NothingToAsk(Unmeasurable):
    """No request of the corpus can be put to both sides."""

    id = "S310"


class NotRepeatable(Refused):
    """The request of this comparison may change something, and a write is never done twice."""

    id = "S311"


class BadCase(Refused):
    """The folder holds no regression case, or one that cannot be read."""

    id = "S312"


class NoDescription(Refused):
    """No OpenAPI description says what the route can be asked."""

    id = "S313"


# --- S4xx: takeover ----------------------------------------------------------------------------------


class UnknownGroup(Refused):
    """No group of this name is in the routing table."""

    id = "S401"


class AlreadyOwner(Refused):
    """The service owns the group's tables; a copy from the monolith would overwrite newer rows."""

    id = "S402"


class BadAddress(Refused):
    """A database address names an engine the kit does not know."""

    id = "S403"


class UnsupportedEngines(Refused):
    """Rows cannot be carried from the source's engine to the target's."""

    id = "S404"


class SourceUnreachable(Refused):
    """The monolith's database does not open."""

    id = "S405"


class TargetUnreachable(Refused):
    """The service's database does not open."""

    id = "S406"


class TableMissing(Refused):
    """A table of the group is missing on one side."""

    id = "S407"


class ColumnsDiffer(Refused):
    """A table has other columns on each side."""

    id = "S408"


class NoPrimaryKey(Refused):
    """A table has no primary key, so its rows cannot be told apart."""

    id = "S409"


class UnfitValues(Refused):
    """The source holds values that the target's column types cannot."""

    id = "S410"


class TargetRefusedRows(Refused):
    """The target's database refused rows; nothing of that step was kept."""

    id = "S411"


class NotStarted(Refused):
    """No takeover of the group was started."""

    id = "S413"


class CoordinatorBusy(Refused):
    """Another process is at work on the takeover."""

    id = "S414"


class SchemaForbids(Refused):
    """The schemas hold something that no takeover can carry; everything that does is listed."""

    id = "S415"


class BadMapping(Refused):
    """The file that maps tables and columns says something that it cannot."""

    id = "S416"


class NotVerified(Refused):
    """Not every table was found equal since it was copied."""

    id = "S417"


class TableDirty(Refused):
    """A table's changes were not all captured; its copy cannot be trusted."""

    id = "S418"


class WritersInTheWay(Refused):
    """An open transaction keeps the tables from being locked for a moment; nothing was changed."""

    id = "S419"


class WrongOwner(Refused):
    """The step is for the other owner."""

    id = "S420"


class Undecided(Refused):
    """A change of owner was begun and not decided: until it is, nobody may write."""

    id = "S421"


class NotConfirmed(Refused):
    """The step cannot be taken back, and was not confirmed by the names of the tables."""

    id = "S422"


class WritersRemain(Refused):
    """Somebody writes the tables who goes through none of the group's routes: the fence would refuse them."""

    id = "S423"


class UnknownWriter(Refused):
    """No writer of this name was seen."""

    id = "S424"


class ReferredTo(Refused):
    """Tables of the monolith refer to tables that would become an archive, or be dropped."""

    id = "S425"


class LacksRights(Refused):
    """The role that is connected may not archive or drop the tables; nothing was changed."""

    id = "S426"


class UnfitPace(Refused):
    """A limit to a load that nobody can measure, or two limits that contradict each other."""

    id = "S428"


class ProxySilent(Refused):
    """A proxy worker does not answer, or serves another version of the table, before a change of owner."""

    id = "S427"


class RowsDiffer(Refused):
    """Rows that changed since the verification are not the same on both sides; the owner stays."""

    id = "S430"


class TooManyChanged(Refused):
    """More rows changed since the verification than are compared during a change of owner."""

    id = "S431"


# --- S9xx: benchmarks --------------------------------------------------------------------------------


class ToolMissing(Refused):
    """A program that the benchmark needs is not installed."""

    id = "S901"


class TooFewCores(Refused):
    """The benchmark needs a core for the proxy and another for the load."""

    id = "S902"


class PeerFailed(Unmeasurable):
    """A program under measurement did not come up."""

    id = "S903"


class UnequalWork(Unmeasurable):
    """A peer does not do the work that is compared; its figure would mean nothing."""

    id = "S904"


class LoadFailed(Unmeasurable):
    """The load generator saw errors or measured nothing."""

    id = "S905"
