//! ListGroups, by state since version 4 (KIP-518) and by type since version 5 (KIP-848).

use brooklet_coordinator::groups::ListedGroup as Listed;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{ListGroupsRequest, ListGroupsResponse};
use kafka_protocol::protocol::StrBytes;

use super::group_text::wire;
use crate::error;
use crate::observed;
use crate::shared::{Call, Shared};

/// The one type of group that there is so far.
const TYPE: &str = "classic";

/// Lists the groups that fit the filters; an empty filter fits all. Case does not matter.
pub(crate) async fn handle(shared: &Shared, _call: &Call, request: ListGroupsRequest) -> ListGroupsResponse {
    let groups = match shared.coordinators.look(|groups| groups.list().collect::<Vec<Listed>>()).await {
        Ok(groups) => groups,
        Err(error) => return ListGroupsResponse::default().with_error_code(error::of_coordinator(&error).code()),
    };
    let listed = groups
        .into_iter()
        .filter(|group| fits(&request.states_filter, &group.state.to_string()) && fits(&request.types_filter, TYPE))
        .map(|group| {
            ListedGroup::default()
                .with_group_id(wire(&group.id).into())
                .with_protocol_type(wire(&group.protocol_type))
                .with_group_state(wire(&group.state.to_string()))
                .with_group_type(StrBytes::from_static_str(TYPE))
        });
    let observed = shared.observed_ids();
    let observed = observed.iter().map(|id| observed::listed(id)).filter(|group| {
        fits(&request.states_filter, &group.group_state) && fits(&request.types_filter, &group.group_type)
    });
    ListGroupsResponse::default().with_groups(listed.chain(observed).collect())
}

fn fits(filter: &[StrBytes], value: &str) -> bool {
    filter.is_empty() || filter.iter().any(|wanted| wanted.trim().eq_ignore_ascii_case(value))
}
